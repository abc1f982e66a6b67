// Command pulumi-resource-random stands in for the official plugin, where that cannot be fetched.
package main

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"openclaw-tenants/plug-ins/random"
)

var version = "0.0.0" // -ldflags "-X main.version=4.21.2"

func main() {
	pf.Main(context.Background(), "random", random.Provider(version),
		pf.ProviderMetadata{PackageSchema: []byte(`{"name":"random"}`)})
}
