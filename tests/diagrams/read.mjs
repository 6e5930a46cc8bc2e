// Reads the diagrams of a Markdown file with Mermaid itself, and prints what it makes of them.
import { readFile } from "node:fs/promises";
import { argv, stdout } from "node:process";
import { JSDOM } from "jsdom";

// Mermaid cleans labels with the HTML parser of a browser.
const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

// How Mermaid keeps the number of a character until it draws it.
const words = (label) => label.replace(/ﬂ°°(\d+)¶ß/g, (_, number) => String.fromCodePoint(number));

function flowchart(db) {
  const nodes = [...db.getVertices().values()];
  return {
    nodes: Object.fromEntries(nodes.map((node) => [node.id, words(node.text)])),
    groups: db.getSubGraphs().map((group) => words(group.title)),
    links: db.getEdges().map((link) => [link.start, words(link.text), link.end]),
  };
}

function entities(db) {
  const found = [...db.getEntities()];
  const names = new Map(found.map(([name, entity]) => [entity.id, name]));
  const attribute = ({ type, name, keys }) => [type, name, ...(keys ?? [])].join(" ");
  const relation = ({ entityA, relSpec, entityB, roleA }) =>
    [names.get(entityA), relSpec.cardB, words(roleA), relSpec.cardA, names.get(entityB)].join(" ");
  return {
    entities: Object.fromEntries(found.map(([name, { attributes }]) => [name, attributes.map(attribute)])),
    relations: db.getRelationships().map(relation),
  };
}

const text = await readFile(argv[2], "utf8");
const diagrams = [];
for (const [, source] of text.matchAll(/^```mermaid\n(.*?)^```$/gms)) {
  await mermaid.parse(source);
  const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(source);
  diagrams.push(type.startsWith("flowchart") ? flowchart(db) : entities(db));
}
stdout.write(JSON.stringify(diagrams));
