"""Pure builders: a sweep and the settings in, plain manifests out. One module per child resource."""
