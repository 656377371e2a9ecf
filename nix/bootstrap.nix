# From nothing to a shell and a compiler, without nixpkgs.
#
# Every input is a fixed-output derivation: a Debian package named by the SHA-256 of its lock. Nix's sandbox has no shell
# and no builtin opens a .deb, so a program of 307 octets (seed.S, committed as seed.uu) takes the data archive out of the
# busybox package; everything else follows from busybox.
{ lock }:
let
  system = "x86_64-linux";

  # An input, by its SHA-256 alone. It is put into the store beforehand (`gishiki image seed`) or comes from one of Nix's
  # `hashed-mirrors`; no address is written here.
  fetch = name: sha256: derivation {
    inherit name;
    url = "file:///seed-the-store-first/${name}";
    builder = "builtin:fetchurl";
    system = "builtin";
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = sha256;
    preferLocalBuild = true;
  };

  deb = name: fetch "${name}.deb" lock.packages.${name}.sha256;

  # The only builtin that makes files: it unpacks a tar archive (here also a uuencoded or xz-packed one) to $out/out.
  unpack = name: src: derivation {
    inherit name src;
    system = "builtin";
    builder = "builtin:unpack-channel";
    channelName = "out";
  };

  seed = unpack "seed" (builtins.toFile "seed.uu" (builtins.readFile ./seed.uu));

  busyboxTree = unpack "busybox-tree" (derivation {
    name = "busybox-data.tar.xz";
    inherit system;
    builder = "${seed}/out";
    args = [ "${deb "busybox-static"}" (builtins.placeholder "out") ];
  });

  busybox = derivation {
    name = "busybox";
    inherit system;
    builder = "${busyboxTree}/out/bin/busybox";
    args = [ "sh" "-euc" ''
      b=${busyboxTree}/out/bin/busybox
      $b mkdir -p $out/bin
      $b cp $b $out/bin/busybox
      for applet in $($b --list); do
        [ $applet = busybox ] || $b ln -s busybox $out/bin/$applet
      done
    '' ];
  };

  # A derivation whose builder is a busybox script.
  run = name: env: script: derivation ({
    inherit name system;
    builder = "${busybox}/bin/busybox";
    args = [ "sh" "-euc" script ];
    PATH = "${busybox}/bin";
    SOURCE_DATE_EPOCH = "0";
    LC_ALL = "C";
    TZ = "UTC";
  } // env);

  # Debian packages of a group of the lock, unpacked side by side; their maintainer scripts do not run.
  tree = name: group: run name { debs = map deb lock.groups.${group}; } (unpackInto "$out");

  unpackInto = root: ''
    mkdir -p ${root}/usr/bin ${root}/usr/sbin ${root}/usr/lib ${root}/usr/lib64
    for d in bin sbin lib lib64; do ln -s usr/$d ${root}/$d; done
    for deb in $debs; do ar p $deb data.tar.xz | xz -dc | tar x -C ${root}; done
    chmod -R u+w ${root}
  '';

  # A tree whose programs run from the store: only their interpreter is changed; libraries are found by LD_LIBRARY_PATH
  # (a changed rpath breaks gcc's cc1).
  tools = group: run group { debs = map deb lock.groups.${group}; } ''
    ${unpackInto "$out"}
    libraries=$out/usr/lib/x86_64-linux-gnu
    loader=$libraries/ld-linux-x86-64.so.2
    cp $out/usr/bin/patchelf .
    patchelf="$loader --library-path $libraries ./patchelf"
    for f in $out/usr/bin/* $out/usr/sbin/* $out/usr/libexec/gcc/*/*/*; do
      [ -f $f ] && [ ! -L $f ] || continue
      [ "$(head -c4 $f | od -An -tx1 | tr -d ' ')" = 7f454c46 ] || continue
      $patchelf --print-interpreter $f >/dev/null 2>&1 || continue
      $patchelf --set-interpreter $loader $f
    done
  '';

in {
  inherit lock fetch deb busybox run tree unpackInto;
  toolchain = tools "toolchain";
  imagetools = tools "imagetools";
}
