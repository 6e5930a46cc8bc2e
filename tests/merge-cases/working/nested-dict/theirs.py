x = {"a": {"b": 1, "theirs": 3}}
