# One file that firmware starts, signs or measures: stub, command line, kernel, and the layers one after the other.
{ bootstrap, kernel }: { cmdline, archives }:
let
  inherit (bootstrap) run tree imagetools;
  stub = "${tree "boot" "boot"}/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
in run "uki" {
  LD_LIBRARY_PATH = "${imagetools}/usr/lib/x86_64-linux-gnu";
  inherit archives;
} ''
  objcopy=${imagetools}/usr/bin/objcopy objdump=${imagetools}/usr/bin/objdump
  printf 'ID=gishiki\nNAME="gishiki"\nPRETTY_NAME="gishiki live image"\nVERSION_ID=0\n' > osrel
  printf '%s' "${cmdline}" > cmdline
  printf '%s' "${kernel.release}" > uname
  # The kernel reads archives that follow each other, each from a multiple of four octets.
  for archive in $archives; do
    cat $archive >> initrd
    while [ $(( $(stat -c %s initrd) % 4 )) -ne 0 ]; do printf '\0' >> initrd; done
  done

  # Sections follow the stub's last one, each from a page of its own.
  at=0
  set -- $($objdump -h ${stub} | awk 'NF == 7 && $1 ~ /^[0-9]+$/ { print $3, $4 }')
  while [ $# -gt 1 ]; do
    end=$(( 0x$1 + 0x$2 )); [ $end -gt $at ] && at=$end
    shift 2
  done
  sections=
  for section in osrel:osrel cmdline:cmdline uname:uname linux:${kernel.vmlinuz} initrd:initrd; do
    at=$(( (at + 4095) / 4096 * 4096 ))
    sections="$sections --add-section .''${section%%:*}=''${section#*:} --change-section-vma .''${section%%:*}=$(printf 0x%x $at)"
    at=$(( at + $(stat -c %s ''${section#*:}) ))
  done
  mkdir $out
  $objcopy $sections ${stub} $out/gishiki.efi
''
