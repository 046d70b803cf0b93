# The program for production (`hostolink serve`), without a database: DATABASE_URL names it.
# UNTRIED: written with care, but built nowhere yet.
#
#   docker build -t hostolink .
#   docker run --env-file hostolink.env hostolink migrate
#   docker run --env-file hostolink.env -p 3000:3000 hostolink

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches stay with the builder, so the program is copied out of the one that holds target/.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/hostolink /hostolink

FROM debian:bookworm-slim
# The authorities that sign the certificates of operators and of the database.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /hostolink /usr/local/bin/hostolink
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
# Inside a container 127.0.0.1 would be reached by nobody.
ENV HOSTOLINK_HOST=0.0.0.0 HOSTOLINK_PORT=3000
EXPOSE 3000
# Not a shell: the signal to stop has to reach the program. It drains for at most 20 seconds.
ENTRYPOINT ["/usr/local/bin/hostolink"]
CMD ["serve"]
