# The program, from Cargo.lock: every crate a fixed-output input, built offline with Debian's Rust.
{ bootstrap, src }:
let
  inherit (bootstrap) run fetch toolchain busybox;

  cargoLock = builtins.fromTOML (builtins.readFile "${src}/Cargo.lock");
  external = builtins.filter (package: package ? source) cargoLock.package;

  unpackCrate = { name, version, checksum, ... }: ''
    gzip -dc ${fetch "${name}-${version}.crate" checksum} | tar x -C $out
    printf '{"files":{},"package":"${checksum}"}' > $out/${name}-${version}/.cargo-checksum.json
  '';
  vendor = run "vendor" { } ''
    mkdir $out
    ${builtins.concatStringsSep "" (map unpackCrate external)}
  '';

  cargoConfig = ''
    [source.crates-io]
    replace-with = "vendored"
    [source.vendored]
    directory = "${vendor}"
    [net]
    offline = true
  '';

  # Build scripts run here, so they get the toolchain's loader; the product keeps Debian's, at Debian's path.
  cc = ''
    #!${busybox}/bin/sh
    loader=
    case " $* " in
      *build_script_build-*)
        loader="-Wl,--dynamic-linker=${libraries}/ld-linux-x86-64.so.2 -Wl,-rpath,${libraries}" ;;
    esac
    exec ${toolchain}/usr/bin/gcc --sysroot=${toolchain} -B${toolchain}/usr/bin $loader "$@"
  '';
  libraries = "${toolchain}/usr/lib/x86_64-linux-gnu";
  target = "x86_64-unknown-linux-gnu";

in run "gishiki" {
  inherit src cargoConfig cc;
  passAsFile = [ "cargoConfig" "cc" ];
} ''
  mkdir -p /build/work/.cargo /build/home
  cp -r $src/. /build/work/
  cp $cargoConfigPath /build/work/.cargo/config.toml
  cp $ccPath /build/cc
  chmod -R u+w /build/work; chmod +x /build/cc
  cd /build/work

  export LD_LIBRARY_PATH=${libraries} PATH=${toolchain}/usr/bin:$PATH
  export HOME=/build/home CARGO_HOME=/build/home CC=/build/cc CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=/build/cc
  # One unit of code, no debug sections, no paths of this build: the same octets from every store.
  export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_STRIP=true
  export RUSTFLAGS="--remap-path-prefix=/build/work=/src --remap-path-prefix=${vendor}=/vendor --remap-path-prefix=/build/home=/cargo"
  # What `gishiki --version` and every transcript name. In the repository the same line gives the same digest.
  export GISHIKI_SOURCE=$(find Cargo.lock Cargo.toml crates tests/copyist tests/faulty-module -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64)
  # Without `gishiki image`: the live system holds what a ceremony needs.
  cargo build --release --frozen --no-default-features --bin gishiki --target ${target}

  mkdir -p $out/bin
  cp target/${target}/release/gishiki $out/bin/
  if strings $out/bin/gishiki | grep -E '/nix/store/[0-9a-z]{32}-' > left; then
    echo "store paths are left in the binary:"; cat left
    exit 1
  fi
''
