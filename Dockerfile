FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bins

FROM debian:bookworm-slim
RUN useradd --system --uid 65532 tidemill && mkdir -p /etc/tidemill /var/lib/tidemill && chown tidemill /var/lib/tidemill
COPY --from=build /src/target/release/tidemill /src/target/release/start_system /usr/local/bin/
USER tidemill
WORKDIR /var/lib/tidemill
ENTRYPOINT ["tidemill"]
CMD ["--help"]
