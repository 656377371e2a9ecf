# The ceremony layers: ceremonies.<ca>.<ceremony>, one for each plan of this repository. A layer holds one plan, the files
# of its CA (CP/CPS, policy, roster, anchor), its golden and those before it, and the CA's ledger if there is one: another
# plan's change leaves it as it is.
{ root, layers }:
let
  inherit (builtins) attrNames concatLists filter isString listToAttrs match pathExists readDir readFile split;
  folders = path: filter (name: (readDir path).${name} == "directory") (attrNames (readDir path));
  files = path: filter (name: (readDir path).${name} == "regular") (attrNames (readDir path));
  # A tree of this repository as an input of its own, named by its content.
  part = at: { inherit at; from = builtins.path { name = baseNameOf at; path = root + "/${at}"; }; };

  layer = ca: name:
    let
      plans = "ceremony-plans/${ca}";
      # The ceremony before. `fromTOML` of Nix 2.8 refuses every document with a date; one expression over a whole plan of
      # ten thousand certificates overflows Nix's stack. So each line is matched by itself, and the first that fits counts.
      after = ceremony:
        let
          lines = filter isString (split "\n" (readFile (root + "/${plans}/${ceremony}/plan.toml")));
          found = concatLists (filter (one: one != null) (map (match "after *= *\"([a-z0-9-]+)\".*") lines));
        in if found == [ ] then [ ] else [ (builtins.head found) ];
      chain = ceremony: if pathExists (root + "/${plans}/${ceremony}/plan.toml")
        then [ ceremony ] ++ concatLists (map chain (after ceremony))
        else [ ];
      goldens = map (ceremony: "golden/${ca}/${ceremony}") (chain name);
      papers = files (root + "/${plans}") ++ [ name ];
      wanted = map (paper: "${plans}/${paper}") papers ++ [ "ledger/${ca}" ] ++ goldens;
    in layers.ceremony {
      inherit ca name;
      trees = map part (filter (at: pathExists (root + "/${at}")) wanted);
    };

in listToAttrs (map (ca: {
  name = ca;
  value = listToAttrs (map (name: { inherit name; value = layer ca name; }) (folders (root + "/ceremony-plans/${ca}")));
}) (folders (root + "/ceremony-plans")))
