// Package apikeyauth knows callers by API keys, of which the store has hashes only.
//
//	key, record, err := apikeyauth.Generate("shop", auth.Principal{Subject: "billing"}, 365*24*time.Hour)
//	// key, such as shop_4kGc..._9aZr..., is shown once; the record goes to the store
//
//	byKey, err := apikeyauth.New("shop", store.FindKey)
//	httptransport.ServerMiddleware(auth.Middleware(byKey))
//
// It is not called as its directory is, as its siblings are not.
package apikeyauth
