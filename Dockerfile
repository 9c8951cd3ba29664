# The server in an image: the last stage holds the program and its libraries, the one before it
# compiles; the first two are for docker-compose.yml.
#
#   docker build -t reeve .
#   docker build --network host -t reeve .     # where the packages come through the host's network
#
# Where no registry can be reached, make the base under the name that FROM looks for, once:
#
#   debootstrap --variant=minbase --include=ca-certificates bookworm base
#   tar -C base -c . | docker import - debian:bookworm-slim
ARG BASE=debian:bookworm-slim

# The database of docker-compose.yml.
FROM ${BASE} AS postgres
COPY scripts/install.sh /usr/local/share/reeve/
RUN apt-get update -q && /usr/local/share/reeve/install.sh --database \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/reeve
COPY scripts/compose-postgres /usr/local/bin/
USER postgres
VOLUME /var/lib/postgresql/reeve
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/compose-postgres"]

# For the profile `engine` of docker-compose.yml: hands the host's engine on through a socket that
# belongs to the user of the last stage. Without -t it would cut an answer 0.5 s after its request.
# The mode comes from the umask: once the socket is given away, who has no CAP_FOWNER cannot set it.
FROM ${BASE} AS engine-socket
COPY scripts/install.sh /usr/local/share/reeve/
RUN apt-get update -q && /usr/local/share/reeve/install.sh --relay && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["socat", "-t", "86400", \
    "UNIX-LISTEN:/run/engine/docker.sock,fork,unlink-early,umask=0177,user=9595", \
    "UNIX-CONNECT:/host/docker.sock"]

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/install.sh scripts/
RUN apt-get update -q && scripts/install.sh --build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DREEVE_BENCH=OFF && cmake --build build/release --target reeve \
    && scripts/hardened build/release/reeve && strip -o /reeve build/release/reeve

FROM ${BASE} AS reeve
COPY scripts/install.sh /usr/local/share/reeve/
RUN apt-get update -q && /usr/local/share/reeve/install.sh --libs && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 9595 --home-dir /var/lib/reeve --create-home \
       --shell /usr/sbin/nologin reeve
COPY --from=build /reeve /usr/local/bin/reeve
COPY LICENSE /usr/local/share/reeve/
# A private PostgreSQL is not in the image: DATABASE_URL names one. The server listens where the
# container's network reaches it only if it is told that plain HTTP is meant there:
#   docker run -e REEVE_ALLOW_PLAIN_HTTP=true -e DATABASE_URL=… -p 127.0.0.1:9595:9595 reeve
ENV REEVE_DATA=/var/lib/reeve REEVE_LISTEN=0.0.0.0:9595
USER reeve
VOLUME /var/lib/reeve
EXPOSE 9595
# 70 and 75 ask for a restart: run it with a restart policy. 78 asks for a person instead: with
# REEVE_REFUSED_WAITS=true the server tells why on /readyz and does not end.
ENTRYPOINT ["/usr/local/bin/reeve"]
CMD ["serve"]
