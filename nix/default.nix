# Everything that is built, from the locks, the seed and this repository.
{ root ? ../. }:
let
  lock = builtins.fromJSON (builtins.readFile ./debian.lock.json);
  vendorLock = builtins.fromJSON (builtins.readFile ./vendor.lock.json);
  bootstrap = import ./bootstrap.nix { inherit lock; };
  inherit (bootstrap) tree;

  # Only what the program is compiled from: a change of a plan or a document changes no program.
  src = builtins.path {
    name = "gishiki-src";
    path = root;
    filter = path: type:
      let relative = builtins.substring (builtins.stringLength (toString root) + 1) (-1) path;
      in builtins.match "Cargo\\.(toml|lock)|crates(/.*)?|tests(/(copyist|faulty-module)(/.*)?)?" relative != null;
  };
  gishiki = import ./gishiki.nix { inherit bootstrap src; };

  kernel = rec {
    package = builtins.head lock.groups.kernel;
    release = builtins.substring (builtins.stringLength "linux-image-") (-1) package;
    tree = bootstrap.tree "kernel" "kernel";
    vmlinuz = "${tree}/boot/vmlinuz-${release}";
  };

  layers = import ./layers.nix { inherit bootstrap kernel gishiki; };
  archive = import ./initrd.nix { inherit bootstrap; };
  makeUki = import ./uki.nix { inherit bootstrap kernel; };
  makeIso = import ./iso.nix { inherit bootstrap; };

  # What the kernel is told, and what init compares with what it was told.
  hardening = "quiet lockdown=confidentiality module.sig_enforce=1 random.trust_cpu=off ipv6.disable=1 init_on_free=1 slab_nomerge vsyscall=none";
  variants = {
    # A screen only; the token's module, if one is locked.
    production = {
      cmdline = "console=tty0 ${hardening}";
      layers = [ ];
    };
    # SoftHSM, and a serial console for whoever tests.
    drill = {
      cmdline = "console=ttyS0,115200 console=tty0 ${hardening}";
      layers = [ layers.drill ];
    };
  };

  image = name: path: ceremony:
    let
      variant = variants.${name};
      hardware = hardwareOf path;
      told = bootstrap.run "variant-layer" { } ''
        mkdir -p $out/etc/gishiki
        printf '%s\n' ${name} > $out/etc/gishiki/variant
        printf '%s\n' "${variant.cmdline}" > $out/etc/gishiki/cmdline
        ${if hardware.daemons == "" then "" else "printf '%s\\n' \"${hardware.daemons}\" > $out/etc/gishiki/daemons"}
      '';
      archives = map archive ([ layers.base ] ++ variant.layers ++ hardware.layers ++ [ told ] ++ ceremony);
      uki = makeUki { inherit archives; inherit (variant) cmdline; };
    in { inherit uki; iso = makeIso uki; };

  ceremonies = import ./ceremonies.nix { inherit root layers; };
  hardwareOf = import ./hardware.nix { inherit bootstrap kernel layers vendorLock ceremonies; };
  everyCeremony = name: kind: builtins.mapAttrs (ca: builtins.mapAttrs (ceremony: layer:
    let made = image name [ kind ca ceremony ] [ layer ]; in made.iso // { inherit (made) uki; }))
    ceremonies;
  tool = image "production" [ "iso" ] [ ];

in {
  inherit gishiki layers kernel;
  inherit (tool) uki iso;
  inherit (hardwareOf [ "iso" ]) vendor;
  # The medium around a unified kernel image that was signed elsewhere: a folder with gishiki.efi in it.
  isoOf = makeIso;
  # One image for each ceremony, and its drill; the unified kernel image in it is its `uki`.
  ceremonies = everyCeremony "production" "ceremonies";
  drills = everyCeremony "drill" "drills";
}
