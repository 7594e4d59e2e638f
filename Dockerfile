# Builds one static binary with both front-ends embedded, and ships it with the tools that back PostgreSQL up.
FROM node:20-bookworm-slim AS front
WORKDIR /src
COPY h5/package.json h5/package-lock.json h5/
COPY admin-ui/package.json admin-ui/package-lock.json admin-ui/
RUN cd h5 && npm ci --no-audit --no-fund && cd ../admin-ui && npm ci --no-audit --no-fund
COPY front front
COPY h5 h5
COPY admin-ui admin-ui
RUN cd h5 && npm run build && cd ../admin-ui && npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=front /src/h5/dist h5/dist
COPY --from=front /src/admin-ui/dist admin-ui/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /huiqi .

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates postgresql-client-15 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --no-create-home huiqi && install -d -o huiqi -g huiqi -m 700 /data
COPY --from=build /huiqi /huiqi
USER huiqi
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/huiqi"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080"]
