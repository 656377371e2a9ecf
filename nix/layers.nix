# The live system as layers, each a tree of files that becomes one part of the initramfs. What changes seldom lies below.
#
#   base      kernel modules, busybox, gishiki, Debian's C library, the screen and its font
#   drill     SoftHSM, in the drill image only
#   vendor    the token's PKCS #11 module, in the production image
#   ceremony  one plan with its CA's policy and roster, its goldens, and its ledger and anchor
{ bootstrap, kernel, gishiki }:
let
  inherit (bootstrap) run lock deb unpackInto toolchain imagetools busybox;
  libraries = "${imagetools}/usr/lib/x86_64-linux-gnu";

  # What no program of the image uses.
  prune = root: ''
    rm -rf ${root}/usr/share ${root}/usr/lib/x86_64-linux-gnu/gconv ${root}/usr/lib/systemd ${root}/etc
    rm -rf ${root}/usr/lib/locale ${root}/usr/sbin/* ${root}/usr/lib/x86_64-linux-gnu/audit
  '';

in {
  base = run "base-layer" {
    debs = map deb lock.groups.runtime;
    fontDeb = deb "unifont";
    fontSource = ./live/font.c;
    moduleList = ./live/modules;
    init = ./live/init;
    LD_LIBRARY_PATH = libraries;
  } ''
    ${unpackInto "$out"}
    mkdir locale; cp -r $out/usr/lib/locale/C.utf8 locale/
    rm -f $out/usr/bin/*.real; mkdir keep; cp $out/usr/bin/bterm keep/; rm -rf $out/usr/bin; mkdir $out/usr/bin
    ${prune "$out"}
    cp keep/bterm $out/usr/bin/
    mkdir -p $out/usr/lib/locale; cp -r locale/C.utf8 $out/usr/lib/locale/
    for d in etc/gishiki proc sys dev run tmp root media; do mkdir -p $out/$d; done

    # One shell and links for the tools that init and gishiki call. Debian's busybox has all of its applets inside, those
    # for networks too: what keeps them from one is that the kernel has none, and that nobody is given a shell.
    cp ${busybox}/bin/busybox $out/usr/bin/busybox
    for applet in [ cat dmesg dumpkmap false grep hostname hwclock loadkmap mkdir mkfifo modprobe mount poweroff setsid sh \
      sync umount; do
      ln -s busybox $out/usr/bin/$applet
    done
    cp ${gishiki}/bin/gishiki $out/usr/bin/
    # The screen's terminal starts one program without arguments, in a session that has no terminal yet.
    printf '#!/bin/sh\nsetsid -c gishiki screen --here screen\n' > $out/usr/bin/gishiki-live
    chmod 755 $out/usr/bin/gishiki-live

    # The screen's font, out of GNU Unifont with Japanese forms, in two sizes.
    mkdir -p font $out/usr/share
    ar p $fontDeb data.tar.xz | xz -dc | tar x -C font
    LD_LIBRARY_PATH=${toolchain}/usr/lib/x86_64-linux-gnu PATH=${toolchain}/usr/bin:$PATH \
      gcc --sysroot=${toolchain} -B${toolchain}/usr/bin -O2 -static -o convert $fontSource
    ./convert 1 < font/usr/share/unifont/unifont_jp.hex > $out/usr/share/unifont-small.bgf
    ./convert 2 < font/usr/share/unifont/unifont_jp.hex > $out/usr/share/unifont-large.bgf

    # Kernel modules: the list and what each needs; nothing of a network.
    modules=${kernel.tree}/usr/lib/modules/${kernel.release}
    mkdir -p all/usr/lib/modules; cp -r $modules all/usr/lib/modules/; ln -s usr/lib all/lib; chmod -R u+w all
    ${imagetools}/usr/sbin/depmod -b all ${kernel.release}
    for name in $(grep -v '^#' $moduleList); do
      pattern=$(echo $name | sed 's/[-_]/[-_]/g')
      if line=$(grep -E "/$pattern\.ko[^:]*:" all/usr/lib/modules/${kernel.release}/modules.dep); then
        echo $line | tr -d : | tr ' ' '\n'
      elif ! grep -qE "/$pattern\.ko" $modules/modules.builtin; then
        echo "no module $name" >&2; exit 1
      fi
    done | sort -u > wanted
    [ -s wanted ]
    if grep -E '/net/|wireless|bluetooth|firewire|thunderbolt' wanted; then
      echo "a network module is on the list" >&2; exit 1
    fi
    into=$out/usr/lib/modules/${kernel.release}
    for file in $(cat wanted); do
      mkdir -p $into/$(dirname $file)
      xz -dc all/usr/lib/modules/${kernel.release}/$file > $into/''${file%.xz}
    done
    cp $modules/modules.order $modules/modules.builtin $modules/modules.builtin.modinfo $into/
    ${imagetools}/usr/sbin/depmod -b $out ${kernel.release}
    rm -f $into/*.bin

    grep -v '^#' $moduleList > $out/etc/gishiki/modules
    cp $init $out/init; chmod 755 $out/init
    printf 'root:x:0:0:root:/root:/bin/sh\n' > $out/etc/passwd
    printf 'root:x:0:\n' > $out/etc/group
  '';

  drill = run "drill-layer" { debs = map deb lock.groups.drill; } ''
    ${unpackInto "$out"}
    ${prune "$out"}
    for d in bin sbin lib lib64; do rm $out/$d; done
    rmdir $out/usr/sbin $out/usr/lib64; rm -rf $out/usr/bin $out/var
    mkdir -p $out/etc/gishiki
    printf 'directories.tokendir = /media/token/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' \
      > $out/etc/gishiki/softhsm2.conf
  '';

  # `files` maps a place in the image to an input of the store: the vendor's library, by its hash. Mode, owner and time
  # are no part of that hash: all of them are said here and in `initrd.nix`.
  vendor = files: run "vendor-layer" { } ''
    mkdir $out
    ${builtins.concatStringsSep "" (map (place: ''
      mkdir -p $out/$(dirname ${place}); cp ${files.${place}} $out/${place}; chmod 755 $out/${place}
    '') (builtins.attrNames files))}
  '';

  ceremony = { ca, name, trees }: run "ceremony-layer" { } ''
    mkdir -p $out/ceremony
    printf '%s\n' ${ca}/${name} > $out/ceremony/name
    ${builtins.concatStringsSep "" (map (tree: ''
      mkdir -p $out/ceremony/$(dirname ${tree.at}); cp -r ${tree.from} $out/ceremony/${tree.at}
    '') trees)}
  '';
}
