# A layer as an archive that the kernel unpacks: sorted names, no times, root's.
{ bootstrap }: layer:
let inherit (bootstrap) run imagetools;
in run "initrd" { LD_LIBRARY_PATH = "${imagetools}/usr/lib/x86_64-linux-gnu"; } ''
  mkdir tree; cp -R -d ${layer}/. tree; chmod -R u+w tree; cd tree
  find . -type d -exec chmod 755 {} +
  find . -exec touch -h -d @0 {} +
  find . -print0 | sort -z | ${imagetools}/usr/bin/cpio --null -o -H newc --reproducible --owner=0:0 --quiet > ../cpio
  ${imagetools}/usr/bin/zstd -19 -T1 -q ../cpio -o $out
''
