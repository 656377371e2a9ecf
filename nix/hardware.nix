# What one image has for its token, as `hardware.toml` and the vendor's lock name it: layers, the drivers that init loads
# after its own list, and the daemons that it starts before anything is asked of a token.
{ bootstrap, kernel, layers, vendorLock, ceremonies }:
let
  inherit (builtins) all attrNames concatStringsSep elem filter foldl' isBool isInt isString listToAttrs match mapAttrs;
  file = builtins.fromTOML (builtins.readFile ./hardware.toml);

  # A misspelt name would give an image without what people reviewed: every key is known, or nothing is built.
  among = where: known: table:
    let foreign = filter (key: !elem key known) (attrNames table);
    in if foreign == [ ] then true
      else throw "nix/hardware.toml: ${where} has ${concatStringsSep ", " foreign}; known: ${concatStringsSep ", " known}";
  is = where: said: found: if found then true else throw "nix/hardware.toml: ${where}: ${said}";

  mac = "([0-9a-f]{2}:){5}[0-9a-f]{2}";
  octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  address = "(${octet}\\.){3}${octet}";
  text = pattern: value: isString value && match pattern value != null;
  goodLink = where: link:
    among where [ "driver" "mac" "own" "peer" "peer-mac" "port" ] link
    && is where "driver = a module of the kernel" (text "[a-z0-9_]+" (link.driver or null))
    && is where "mac, peer-mac = 02:00:00:00:00:01 in small letters"
      (text mac (link.mac or null) && text mac (link.peer-mac or null))
    && is where "own, peer = two IPv4 addresses"
      (text address (link.own or null) && text address (link.peer or null) && link.own != link.peer)
    && is where "port = 1 to 65535" (isInt (link.port or null) && link.port > 0 && link.port < 65536);
  good = where: table:
    among where [ "usb" "vendor" "link" ] table
    && is where "usb, vendor = true or false" (isBool (table.usb or false) && isBool (table.vendor or false))
    && (!(table ? link) || goodLink "${where}.link" table.link);
  goodKind = kind:
    let cas = file.${kind} or { };
    in among kind (attrNames ceremonies) cas && all (ca:
      among "${kind}.${ca}" (attrNames ceremonies.${ca}) cas.${ca}
      && all (name: good "${kind}.${ca}.${name}" cas.${ca}.${name}) (attrNames cas.${ca})) (attrNames cas);
  whole = among "the file" [ "iso" "ceremonies" "drills" ] file
    && good "iso" (file.iso or { }) && goodKind "ceremonies" && goodKind "drills";

  # The vendor's files by what they are; one that says nothing is a file, such as a PKCS #11 module.
  kinds = [ "file" "kernel-module" "daemon" ];
  modules = "usr/lib/modules/${kernel.release}/";
  below = folder: place: builtins.substring 0 (builtins.stringLength folder) place == folder;
  kindOf = place:
    let found = vendorLock.${place}.is or "file";
    in if !elem found kinds then throw "nix/vendor.lock.json: ${place} is ${found}; known: ${concatStringsSep ", " kinds}"
      else if found == "kernel-module" && !(below modules place && match ".*/[a-z0-9_-]+\\.ko" place != null)
      then throw "nix/vendor.lock.json: ${place}: a kernel module lies below ${modules} and ends in .ko"
      else if match "[A-Za-z0-9._+/-]+" place == null then throw "nix/vendor.lock.json: ${place} is no place"
      else found;
  every = kind: filter (place: kindOf place == kind) (attrNames vendorLock);
  pick = places: listToAttrs (map (place: {
    name = place;
    value = bootstrap.fetch vendorLock.${place}.name vendorLock.${place}.sha256;
  }) places);
  word = place: argument: if match "[A-Za-z0-9._+=:,/@-]+" argument != null then argument
    else throw "nix/vendor.lock.json: ${place}: an argument with blanks or other signs: ${argument}";
  command = place: concatStringsSep " " ([ "/${place}" ] ++ map (word place) (vendorLock.${place}.arguments or [ ]));

in path:
let
  table = assert whole; foldl' (table: key: table.${key} or { }) file path;
  vendor = if builtins.head path == "drills" then table.vendor or false else true;
  usb = table.usb or false;
  link = table.link or null;
  drivers = if vendor then pick (every "kernel-module") else { };
  daemons = (if usb then [ "/usr/sbin/pcscd --foreground --disable-polkit" ] else [ ])
    ++ (if vendor then map command (every "daemon") else [ ]);

in {
  layers = (if usb then [ layers.usb ] else [ ])
    ++ (if vendor && vendorLock != { } then [ (layers.vendor (pick (every "file" ++ every "daemon"))) ] else [ ])
    ++ (if drivers != { } || link != null then [ (layers.drivers { inherit drivers link; }) ] else [ ])
    ++ (if link != null then [ (layers.link link) ] else [ ]);
  # Lines that init reads; no file where there is nothing to start.
  daemons = concatStringsSep "\n" daemons;
  vendor = layers.vendor (pick (every "file" ++ every "daemon"));
}
