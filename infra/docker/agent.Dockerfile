# The tree is a checkout, not a package: Node.js strips types everywhere but under node_modules.
# bookworm: its libbpf is the one every test of the agent runs with.
FROM node:24.21.0-bookworm-slim
WORKDIR /opt/tcptrail
ENV NODE_ENV=production

# 1.1 is the ABI; the star lets Debian's security updates in.
RUN apt-get update \
    && apt-get install -y --no-install-recommends 'libbpf1=1:1.1.*' \
    && rm -rf /var/lib/apt/lists/*

COPY package.json package-lock.json .npmrc ./
COPY schemas/package.json schemas/
COPY config/package.json config/
COPY spool/package.json spool/
COPY kafka/package.json kafka/
COPY agent/package.json agent/
# Optional dependencies are Node.js itself, which this image has; native modules bring prebuilt binaries.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --workspace @tcptrail/agent

COPY bpf/tcptrail.bpf.o bpf/
COPY bpf/storage.layout bpf/
COPY schemas schemas
COPY config config
COPY spool spool
COPY kafka kafka
COPY agent agent

# Compiled here once: the agent starts sooner and stays smaller.
ENV NODE_COMPILE_CACHE=node_modules/.cache
RUN node --eval "for (const part of ['agent', 'libc', 'trace/trace', 'publish/kafka']) import('./agent/src/' + part + '.ts')" && node agent/src/main.ts --print-config --config /dev/null

# Root, because BPF does; docker-compose.yml takes away all of root that it does not need.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=2s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9480/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# agent/src/node-flags.ts
ENTRYPOINT ["node", "--no-concurrent-recompilation", "--max-semi-space-size=1", "agent/src/main.ts"]
