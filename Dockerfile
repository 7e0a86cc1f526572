# The service in an image: `docker build -t kerasdoctor .`, then, for this machine only,
# `docker run --rm -p 127.0.0.1:8080:8080 kerasdoctor serve --open`. docs/operation.md tells how to run it for others.
# With EXTRAS=service,live it can also run models in its sandbox; TensorFlow makes it larger by some 2 GB.

FROM debian:bookworm-slim AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv
RUN python3 -m venv /build && python3 -m venv /opt/kerasdoctor
WORKDIR /source
COPY requirements.lock pyproject.toml setup.py ./
RUN /build/bin/pip install -q -c requirements.lock build setuptools scikit-learn PyYAML rapidfuzz
COPY . .
RUN /build/bin/python -m build --wheel --no-isolation --outdir /wheel
ARG EXTRAS=service
RUN /opt/kerasdoctor/bin/pip install -q --no-compile -c requirements.lock "$(ls /wheel/*.whl)[$EXTRAS]" \
    && rm -rf /opt/kerasdoctor/lib/python3.11/site-packages/pip* /opt/kerasdoctor/bin/pip* \
    && find /opt/kerasdoctor -name tests -path '*/site-packages/*' -type d -prune -exec rm -rf {} +

FROM debian:bookworm-slim
# libseccomp locks the sandbox in which uploaded files are read.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 libseccomp2 ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin kerasdoctor \
    && install -d -o kerasdoctor -g kerasdoctor -m 700 /data
COPY --from=build /opt/kerasdoctor /opt/kerasdoctor
ENV PATH=/opt/kerasdoctor/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 KERASDOCTOR_HOST=0.0.0.0 KERASDOCTOR_DATA=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python3", "-c", \
    "import urllib.request as ask; ask.urlopen('http://127.0.0.1:8080/api/v1/health/ready', timeout=4)"]
ENTRYPOINT ["kerasdoctor"]
CMD ["serve"]
