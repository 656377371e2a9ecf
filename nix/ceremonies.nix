# The ceremony layers: ceremonies.<ca>.<ceremony>, one for each plan of this repository. A layer holds one plan, its CA's
# policy and roster, its golden and those before it, and the CA's ledger if there is one: another plan's change leaves
# it as it is.
{ root, layers }:
let
  inherit (builtins) attrNames filter listToAttrs pathExists readDir readFile match;
  folders = path: filter (name: (readDir path).${name} == "directory") (attrNames (readDir path));
  # A tree of this repository as an input of its own, named by its content.
  part = at: { inherit at; from = builtins.path { name = baseNameOf at; path = root + "/${at}"; }; };

  layer = ca: name:
    let
      plans = "ceremony-plans/${ca}";
      after = ceremony:
        let found = match ".*\nafter *= *\"([a-z0-9-]+)\".*" (readFile (root + "/${plans}/${ceremony}/plan.toml"));
        in if found == null then [ ] else found;
      chain = ceremony: if pathExists (root + "/${plans}/${ceremony}/plan.toml")
        then [ ceremony ] ++ builtins.concatLists (map chain (after ceremony))
        else [ ];
      goldens = map (ceremony: "golden/${ca}/${ceremony}") (chain name);
      wanted = [ "${plans}/policy.toml" "${plans}/roster.toml" "${plans}/${name}" "ledger/${ca}" ] ++ goldens;
    in layers.ceremony {
      inherit ca name;
      trees = map part (filter (at: pathExists (root + "/${at}")) wanted);
    };

in listToAttrs (map (ca: {
  name = ca;
  value = listToAttrs (map (name: { inherit name; value = layer ca name; }) (folders (root + "/ceremony-plans/${ca}")));
}) (folders (root + "/ceremony-plans")))
