// Command pulumi-resource-docker stands in for the official plugin, where that cannot be fetched.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"openclaw-tenants/plug-ins/docker"
)

var version = "0.0.0" // -ldflags "-X main.version=5.2.0"

func main() {
	// The schema is only read for code generation and YAML programs, so a stub is enough.
	tfbridge.Main("docker", version, docker.Provider(version), []byte(`{"name":"docker"}`))
}
