from app.notes import check


# astgen:begin api.notes.create 0000000000000001
def create(payload, notes):
    note = notes.add(payload)
    return note
    # astgen:end api.notes.create
