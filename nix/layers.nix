# The live system as layers, each a tree of files that becomes one part of the initramfs. What changes seldom lies below.
#
#   base      kernel modules, busybox, gishiki, Debian's C library, the screen and its font
#   drill     SoftHSM, in the drill image only
#   vendor    the token's PKCS #11 module, in the production image, with what else its vendor's lock has
#   usb       pcscd, the CCID driver, OpenSC's module; where hardware.toml names the image
#   drivers   a vendor's kernel modules, and a link's; where there are any
#   link      one cable to an HSM; where hardware.toml names the image
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

  # All modules of the kernel and those of vendors, by their places, in the folder `all`.
  modules = "usr/lib/modules/${kernel.release}";
  everyModule = vendors: ''
    mkdir -p all/usr/lib/modules; cp -r ${kernel.tree}/${modules} all/usr/lib/modules/; ln -s usr/lib all/lib; chmod -R u+w all
    ${builtins.concatStringsSep "" (map (place: ''
      mkdir -p all/$(dirname ${place}); cp ${vendors.${place}} all/${place}
      made=$(${imagetools}/usr/sbin/modinfo -F vermagic all/${place}); made=''${made%% *}
      if [ "$made" != ${kernel.release} ]; then
        echo "${place} is made for the kernel '$made'; the image has ${kernel.release}" >&2; exit 1
      fi
    '') (builtins.attrNames vendors))}
    ${imagetools}/usr/sbin/depmod -b all ${kernel.release}
  '';

  # The files of the modules of a list, with those that they need, in `wanted`.
  modulesOf = list: ''
    for name in $(cat ${list}); do
      pattern=$(echo $name | sed 's/[-_]/[-_]/g')
      if line=$(grep -E "/$pattern\.ko[^:]*:" all/${modules}/modules.dep); then
        echo $line | tr -d : | tr ' ' '\n'
      elif ! grep -qE "/$pattern\.ko" all/${modules}/modules.builtin; then
        echo "no module $name" >&2; exit 1
      fi
    done | sort -u > wanted
    [ -s wanted ]
  '';
  modulesInto = root: ''
    into=${root}/${modules}
    for file in $(cat wanted); do
      mkdir -p $into/$(dirname $file)
      case $file in
        *.xz) xz -dc all/${modules}/$file > $into/''${file%.xz} ;;
        *) cp all/${modules}/$file $into/$file ;;
      esac
    done
    for index in order builtin builtin.modinfo; do cp all/${modules}/modules.$index $into/; done
    ${imagetools}/usr/sbin/depmod -b ${root} ${kernel.release}
    rm -f $into/*.bin
  '';

in rec {
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
    for applet in [ cat dmesg dumpkmap false grep hostname hwclock loadkmap mkdir mkfifo modprobe mount poweroff setsid sh sleep \
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
    grep -v '^#' $moduleList > $out/etc/gishiki/modules
    ${everyModule { }}
    ${modulesOf "$out/etc/gishiki/modules"}
    if grep -E '/net/|wireless|bluetooth|firewire|thunderbolt' wanted; then
      echo "a network module is on the list" >&2; exit 1
    fi
    ${modulesInto "$out"}

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

  # USB tokens and card readers. Of OpenSC neither the tools nor pkcs11-spy, which writes down what people type.
  usb = run "usb-layer" { debs = map deb lock.groups.usb; } ''
    ${unpackInto "all"}
    libraries=usr/lib/x86_64-linux-gnu
    mkdir -p $out/etc $out/usr/sbin $out/usr/lib/pcsc/drivers $out/$libraries
    cp all/usr/sbin/pcscd $out/usr/sbin/
    cp all/etc/libccid_Info.plist $out/etc/
    cp -R -d all/usr/lib/pcsc/drivers/ifd-ccid.bundle $out/usr/lib/pcsc/drivers/
    cp -d all/$libraries/lib*.so.* all/$libraries/opensc-pkcs11.so $out/$libraries/
  '';

  # Kernel modules besides those of the base, with an index over both.
  drivers = { drivers, link }: run "drivers-layer" { LD_LIBRARY_PATH = libraries; } ''
    ${everyModule drivers}
    mkdir -p $out/etc/gishiki
    for place in ${toString (builtins.attrNames drivers)}; do
      basename $place .ko >> $out/etc/gishiki/drivers
    done
    ${if link == null then "" else "printf '%s\\n' nf_tables ${link.driver} >> $out/etc/gishiki/drivers"}
    ${modulesOf "$out/etc/gishiki/drivers"}
    # Of networks there are the link's card and the kernel's filter, and nothing else.
    allowed='${if link == null then "^$" else "/drivers/net/(ethernet|phy|mdio|pcs)/|/drivers/net/mii\\.|/net/netfilter/(nf_tables|nfnetlink)\\."}'
    if grep -E '/net/|wireless|bluetooth|firewire|thunderbolt' wanted | grep -vE "$allowed"; then
      echo "a driver that no image may have" >&2; exit 1
    fi
    mkdir -p merged/usr/lib; cp -R ${base}/usr/lib/modules merged/usr/lib/; ln -s usr/lib merged/lib; chmod -R u+w merged
    ${modulesInto "merged"}
    mkdir -p $out/${modules}; cp merged/${modules}/modules.* $out/${modules}/
    for file in $(cat wanted); do
      mkdir -p $out/${modules}/$(dirname $file); cp merged/${modules}/''${file%.xz} $out/${modules}/''${file%.xz}
    done
  '';

  # One cable to one HSM: its filter, and what init and `gishiki live` judge it by. The texts are as nft lists them.
  link = { driver, mac, own, peer, peer-mac, port }: run "link-layer" {
    debs = map deb lock.groups.link;
    filter = ''
      table ip link {
      	chain in {
      		type filter hook input priority filter; policy drop;
      		iifname "hsm" ip saddr ${peer} ip daddr ${own} tcp sport ${toString port} tcp flags & (syn | ack) != syn accept
      	}

      	chain pass {
      		type filter hook forward priority filter; policy drop;
      	}

      	chain out {
      		type filter hook output priority filter; policy drop;
      		oifname "hsm" ip saddr ${own} ip daddr ${peer} tcp dport ${toString port} accept
      	}
      }
    '';
    said = ''
      mac="${mac}"
      own="${own}"
      peer="${peer}"
      peer_mac="${peer-mac}"
      port="${toString port}"
    '';
    passAsFile = [ "filter" "said" ];
  } ''
    ${unpackInto "all"}
    libraries=usr/lib/x86_64-linux-gnu
    mkdir -p $out/etc/gishiki $out/usr/sbin $out/usr/bin $out/$libraries
    cp all/usr/sbin/nft $out/usr/sbin/
    cp -d all/$libraries/lib*.so.* $out/$libraries/
    for applet in arp ip; do ln -s busybox $out/usr/bin/$applet; done
    cp $filterPath $out/etc/gishiki/link.nft
    cp $saidPath $out/etc/gishiki/link
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
