# The medium: a partition that UEFI firmware boots from, inside an ISO 9660 file, for a USB stick or a CD in a USB
# drive.
{ bootstrap }: uki:
let inherit (bootstrap) run imagetools;
in run "iso" {
  LD_LIBRARY_PATH = "${imagetools}/usr/lib/x86_64-linux-gnu";
  GCONV_PATH = "${imagetools}/usr/lib/x86_64-linux-gnu/gconv";
} ''
  PATH=${imagetools}/usr/bin:${imagetools}/usr/sbin:$PATH
  cp ${uki}/gishiki.efi BOOTX64.EFI; touch -d @0 BOOTX64.EFI
  # FAT32 asks for 65,525 clusters at least: 34 MB of one-sector clusters; FAT16 is smaller and firmware reads it as well.
  blocks=$(( $(stat -c %s BOOTX64.EFI) / 1024 + 512 ))
  mkfs.vfat --invariant -n GISHIKI-EFI -F 16 -C esp.img $blocks
  mmd -i esp.img ::/EFI ::/EFI/BOOT
  mcopy -m -i esp.img BOOTX64.EFI ::/EFI/BOOT/BOOTX64.EFI
  mkdir tree $out
  touch -d @0 tree
  xorriso -as mkisofs -quiet -V GISHIKI -r -o $out/gishiki.iso \
    -e --interval:appended_partition_2:all:: -no-emul-boot \
    -append_partition 2 0xef esp.img -appended_part_as_gpt -partition_offset 16 tree
''
