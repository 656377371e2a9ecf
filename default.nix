# The flake's outputs without flakes: nix-build -A drills.mdoc-root.2026-04-genesis
import ./nix { root = ./.; }
