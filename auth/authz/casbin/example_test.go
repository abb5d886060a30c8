package casbinauthz_test

import (
	"fmt"

	"github.com/casbin/casbin/v3"

	"github.com/ashlar-go/ashlar/auth"
	casbinauthz "github.com/ashlar-go/ashlar/auth/authz/casbin"
)

func ExampleNew() {
	enforcer, err := casbin.NewSyncedEnforcer("testdata/rbac_model.conf", "testdata/rbac_policy.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	may, err := casbinauthz.New(enforcer)
	if err != nil {
		fmt.Println(err)
		return
	}
	ann := &auth.Principal{Subject: "ann", Roles: []string{"staff", "trainee"}}
	fmt.Println(may.Explain("orders/Place", ann))
	fmt.Println(may.Explain("orders/Cancel", ann))
	// Output:
	// orders/Place by ann is allowed: the line "clerk, orders/*, call, allow" allows it to role:staff
	// orders/Cancel by ann is refused: the line "trainee, orders/Cancel, call, deny" denies it to role:trainee
}
