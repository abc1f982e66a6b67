// Package random is the Terraform random provider behind Pulumi's bridge, with @pulumi/random's names.
package random

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

// Provider describes the plugin to the bridge.
func Provider(version string) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       pf.ShimProvider(shim.Random()),
		Name:    "random",
		Version: version,
		Resources: map[string]*tfbridge.ResourceInfo{
			// Its upstream resource has no "id" attribute.
			"random_bytes": {ComputeID: func(_ context.Context, s resource.PropertyMap) (resource.ID, error) {
				v := s["base64"]
				if v.IsSecret() {
					v = v.SecretValue().Element
				}
				return resource.ID(v.StringValue()), nil
			}},
		},
		EnableAccurateBridgePreview: true,
		EnableRawStateDelta:         true,
		MetadataInfo:                tfbridge.NewProviderMetadata([]byte("{}")),
	}
	std := tokens.MakeStandard("random")
	info.MustComputeTokens(tokens.SingleModule("random_", "index", func(mod, name string) (string, error) {
		return std(mod, "Random"+name)
	}))
	return info
}
