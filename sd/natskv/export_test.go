package natskv

// Token returns a text as one token of a key.
func Token(text string) string { return token(text) }
