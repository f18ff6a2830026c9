// Reads texts, a JSON list, on standard input; writes what the parser named as argument makes of each.
// Runs where its libraries are: the test copies it beside them.
import { readFileSync } from "node:fs";

async function mermaid() {
  const { JSDOM } = await import("jsdom");
  const dom = new JSDOM("");
  globalThis.window = dom.window;
  globalThis.document = dom.window.document;
  const library = (await import("mermaid")).default;
  library.initialize({ startOnLoad: false, maxTextSize: 1e7, maxEdges: 1e5 });
  return async (text) => {
    await library.parse(text);
    const diagram = await library.mermaidAPI.getDiagramFromText(text);
    const db = diagram.db;
    if (diagram.type === "sequence") {
      const actors = [...db.getActors().values()];
      const messages = db.getMessages().filter((m) => m.from && m.to && m.message);
      return {
        nodes: actors.map((actor) => actor.description),
        edges: messages.map((m) => [m.from, m.to, m.message]),
      };
    }
    return {
      nodes: [...db.getVertices().values()].map((vertex) => vertex.text),
      edges: db.getEdges().map((edge) => [edge.start, edge.end, edge.text]),
      groups: db.getSubGraphs().map((group) => group.title),
    };
  };
}

async function d2() {
  const { D2 } = await import("@terrastruct/d2");
  const library = new D2();
  return async (text) => {
    const { diagram } = await library.compile(text);
    return {
      nodes: (diagram.shapes ?? []).map((shape) => shape.label),
      edges: (diagram.connections ?? []).map((each) => [each.src, each.dst, each.label]),
    };
  };
}

const parse = await { mermaid, d2 }[process.argv[2]]();
const answers = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    answers.push(await parse(text));
  } catch (error) {
    answers.push({ error: String(error?.message ?? error) });
  }
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
