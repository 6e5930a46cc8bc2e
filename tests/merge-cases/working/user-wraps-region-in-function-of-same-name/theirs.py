from app.notes import check, publish


# astgen:begin api.notes.create 0000000000000002
def create(payload, notes):
    note = notes.add(payload)
    publish(note)
    return note
    # astgen:end api.notes.create
