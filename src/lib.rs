#![doc = "astgen."]
