// Package basicauth knows callers by user and password, as RFC 7617 has them, and keeps no more of passwords than hashes of Argon2id or
// bcrypt.
//
//	byPassword, err := basicauth.New(func(ctx context.Context, user string) (basicauth.User, error) {
//		row, err := users.Find(ctx, user)
//		if errors.Is(err, sql.ErrNoRows) {
//			return basicauth.User{}, basicauth.ErrUnknown
//		}
//		return basicauth.User{Hash: row.Hash, Principal: auth.Principal{Roles: row.Roles}}, err
//	})
//	httptransport.ServerMiddleware(auth.Middleware(byPassword))
//
// It is not called as its directory is, as its siblings are not.
package basicauth
