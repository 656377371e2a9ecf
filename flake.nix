{
  description = "gishiki: key ceremonies of offline root CAs, and the pinned image that they are held on";
  # No nixpkgs: nix/ says what is built from what.
  outputs = { self }:
    let built = import ./nix { root = ./.; };
    in {
      packages.x86_64-linux = {
        inherit (built) gishiki uki iso;
        default = built.iso;
      };
      inherit (built) ceremonies drills;
    };
}
