# Two images: `operator` (kopf and the Kubernetes client, no Ray) and `trainer` (Ray, scikit-learn; driver and trials).
#   docker build --target operator --build-arg UV_VERSION=... --build-arg HATCHLING_VERSION=... .   (see versions.env)
# Any base image will do that has Python 3.11 with venv, apt or wget, and a CA bundle in Debian's place.
# Layers, from seldom to often changed: base and tools, third-party packages as uv.lock pins them, our own packages. A
# change of our source rebuilds the last one alone, a few hundred KiB.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS base
# KubeRay's probes call wget, which the python images leave out. A user by name: getpass and Ray ask for one.
RUN command -v wget >/dev/null || { apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/*; }; \
    groupadd --gid 65532 tuningsweep && useradd --uid 65532 --gid 65532 --create-home --home-dir /home/tuningsweep --shell /bin/bash tuningsweep && \
    chmod 0777 /home/tuningsweep && \
    python3 -m venv --without-pip /opt/tuningsweep
ENV PATH=/opt/tuningsweep/bin:$PATH \
    HOME=/home/tuningsweep \
    VIRTUAL_ENV=/opt/tuningsweep \
    PYTHONUNBUFFERED=1

# uv and the build backend, in an environment of their own that no image keeps.
FROM base AS tools
ARG UV_VERSION
ARG HATCHLING_VERSION
# The system's CA bundle rather than the ones packed into pip and uv: a mirror's certificate is mounted over it.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_NO_CACHE=1
RUN python3 -m venv /opt/tools && \
    /opt/tools/bin/pip install --no-cache-dir "uv==${UV_VERSION:?see versions.env}" "hatchling==${HATCHLING_VERSION:?see versions.env}"

# The lock as requirement files with hashes: as long as these stay the same, edits of pyproject.toml rebuild no packages.
FROM tools AS requirements
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY api/pyproject.toml api/
COPY cli/pyproject.toml cli/
COPY operator/pyproject.toml operator/
COPY trainer/pyproject.toml trainer/
RUN for member in operator trainer; do \
      /opt/tools/bin/uv export --quiet --frozen --no-dev --no-emit-workspace --no-header --package "tuningsweep-$member" \
        --output-file "/requirements/$member.txt" || exit 1; \
    done

# Our own packages, installed beside the environment that they will be laid over.
FROM tools AS packages
WORKDIR /src
COPY api api
COPY operator operator
RUN /opt/tools/bin/uv build --quiet --wheel --no-build-isolation --python /opt/tools/bin/python --out-dir /wheels api && \
    /opt/tools/bin/uv build --quiet --wheel --no-build-isolation --python /opt/tools/bin/python --out-dir /wheels operator && \
    /opt/tools/bin/uv pip install --quiet --no-deps --no-index --python /opt/tuningsweep/bin/python --compile-bytecode \
      --prefix /packages/operator /wheels/tuningsweep_api-*.whl /wheels/tuningsweep_operator-*.whl
COPY trainer trainer
RUN /opt/tools/bin/uv build --quiet --wheel --no-build-isolation --python /opt/tools/bin/python --out-dir /wheels trainer && \
    /opt/tools/bin/uv pip install --quiet --no-deps --no-index --python /opt/tuningsweep/bin/python --compile-bytecode \
      --prefix /packages/trainer /wheels/tuningsweep_api-*.whl /wheels/tuningsweep_trainer-*.whl

# uv comes and goes within the layer: mounting it from `tools` breaks with buildah 1.28 once that stage is cached.
FROM base AS operator
ARG UV_VERSION
COPY --from=requirements /requirements/operator.txt /opt/tuningsweep/requirements.txt
RUN export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt UV_NO_CACHE=1 && \
    python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --quiet --no-cache-dir "uv==${UV_VERSION}" && \
    /tmp/tools/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python /opt/tuningsweep/bin/python \
      /opt/tuningsweep/requirements.txt && \
    rm -rf /tmp/tools
COPY --from=packages /packages/operator /opt/tuningsweep
USER 65532:65532
WORKDIR /home/tuningsweep
ENTRYPOINT ["tuningsweep-operator"]

FROM base AS trainer
ARG UV_VERSION
COPY --from=requirements /requirements/trainer.txt /opt/tuningsweep/requirements.txt
RUN export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt UV_NO_CACHE=1 && \
    python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --quiet --no-cache-dir "uv==${UV_VERSION}" && \
    /tmp/tools/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python /opt/tuningsweep/bin/python \
      /opt/tuningsweep/requirements.txt && \
    rm -rf /tmp/tools
COPY --from=packages /packages/trainer /opt/tuningsweep
USER 65532:65532
WORKDIR /home/tuningsweep
