from app.notes import check


# astgen:begin api.notes.create 0000000000000001
def create_unchecked(payload, notes):
    note = notes.add(payload)
    return note
    # astgen:end api.notes.create


def create(payload, notes):
    check(payload)
    return create_unchecked(payload, notes)
