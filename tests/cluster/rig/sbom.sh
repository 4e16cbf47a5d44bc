#!/bin/bash
# Writes build/sbom/{operator,trainer}.cdx.json: what is in the two images, asked of their own Python (tools/sbom.py). With a
# Docker engine the images have to be built as tuningsweep-TARGET:test; otherwise buildah builds them. Usage: sbom.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$RIG_SOURCE/kind.sh"

in_image() { # TARGET COMMAND...: run it in a container of the image, standard input included
  local image=localhost/tuningsweep-$1:test container
  if has_docker; then
    docker run --rm --interactive --network none --entrypoint "$2" "tuningsweep-$1:test" "${@:3}"
  else
    container=$(buildah from --pull-never "$image")
    buildah run "$container" -- "${@:2}"
    buildah rm "$container" >/dev/null
  fi
}

has_docker || "$RIG_SOURCE/images.sh"
source "$RIG_SOURCE/storage-conf.sh"
mkdir -p "$CHECKOUT/build/sbom"
for target in operator trainer; do
  file=$CHECKOUT/build/sbom/$target.cdx.json
  in_image "$target" python3 - "tuningsweep-$target" <"$CHECKOUT/tools/sbom.py" >"$file"
  say "$file: $(grep -c '"purl": "pkg:pypi' "$file") Python packages, $(grep -c '"purl": "pkg:deb' "$file") Debian packages"
done
