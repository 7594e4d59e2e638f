# Builds one static binary with both front-ends embedded and ships nothing else.
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
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /huiqi . && mkdir -p /empty

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /huiqi /huiqi
COPY --from=build --chown=nonroot:nonroot /empty /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/huiqi"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080"]
