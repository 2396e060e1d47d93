# One image for every app: `docker run refrain <app> [arguments]`, for example `refrain gateway` or `refrain cli --help`.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sandbox/package.json sandbox/
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY libs libs
COPY apps apps
RUN npm run build && npm prune --omit=dev

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 RECIPES_DIR=recipes MALLOC_ARENA_MAX=1
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY sandbox sandbox
COPY recipes recipes
COPY asks asks
# What `refrain init hubspot-app` writes into a project; nothing here runs it.
COPY deploy/hubspot-app/src/app/cards deploy/hubspot-app/src/app/cards
USER node
EXPOSE 3000
ENTRYPOINT ["/bin/sh", "-c", "exec node --enable-source-maps --disable-warning=TimeoutNegativeWarning dist/apps/$0/src/main.js \"$@\""]
CMD ["gateway"]
