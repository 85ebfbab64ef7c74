import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import { type Digest, isDigest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { digestOfFileName } from "../content/digest-file-name.ts";
import { isMissingFile } from "../content/file-error.ts";
import type { BrokenSidecar, SurveyedLink, SurveyedRepository } from "./survey.ts";

type OnBroken = (broken: BrokenSidecar) => void;

/** The repositories of a registry below `root`; see RepositoryStore for their files. Nothing is changed. */
export function surveyRepositories(root: string, onBroken: OnBroken): SurveyedRepository[] {
  const found: SurveyedRepository[] = [];
  const visit = (name: string): void => {
    const path = join(root, "repositories", name);
    const folders = entriesOf(path).filter((entry) => entry.isDirectory());
    if (folders.some((folder) => folder.name.startsWith("_"))) found.push(surveyOne(path, name, onBroken));
    for (const folder of folders) {
      if (!folder.name.startsWith("_")) visit(name === "" ? folder.name : `${name}/${folder.name}`);
    }
  };
  visit("");
  return found;
}

function surveyOne(path: string, name: string, onBroken: OnBroken): SurveyedRepository {
  const manifests = linksIn(join(path, "_manifests")).flatMap((link) => manifestOf(link, onBroken));
  return {
    name,
    path,
    blobs: linksIn(join(path, "_blobs")),
    manifests,
    tags: entriesOf(join(path, "_tags")).flatMap((entry) => tagOf(path, entry.name, onBroken)),
    referrers: new Set(
      entriesOf(join(path, "_referrers")).flatMap((subject) =>
        entriesOf(join(path, "_referrers", subject.name)).map((entry) => `${subject.name}/${entry.name}`),
      ),
    ),
  };
}

function linksIn(directory: string): SurveyedLink[] {
  return entriesOf(directory).flatMap(({ name }) => {
    const digest = digestOfFileName(name);
    return digest === undefined ? [] : [{ digest, path: join(directory, name) }];
  });
}

function manifestOf({ digest, path }: SurveyedLink, onBroken: OnBroken) {
  return readOne("registry manifest", path, onBroken, (text) => {
    const fields = JsonFields.parse(path, text);
    const own = fields.requiredObject("descriptor").requiredString("digest");
    if (own !== digest) throw fields.problem("descriptor.digest", `is that of ${own}`);
    return { digest, path, subject: digestIn(fields, "subject") };
  });
}

function digestIn(fields: JsonFields, key: string): Digest | undefined {
  const text = fields.string(key);
  if (text === undefined || isDigest(text)) return text;
  throw fields.problem(key, "is not a digest");
}

function tagOf(repository: string, tag: string, onBroken: OnBroken) {
  const path = join(repository, "_tags", tag);
  return readOne("registry tag", path, onBroken, (text) => {
    if (!isDigest(text)) throw new Error("it is not a digest");
    return { tag, path, digest: text };
  });
}

/** Nothing for what is gone by now, or broken: that is told. */
export function readOne<T>(
  object: BrokenSidecar["object"],
  path: string,
  onBroken: OnBroken,
  parse: (text: string) => T,
): T[] {
  try {
    return [parse(readFileSync(path, "utf8"))];
  } catch (error) {
    if (!isMissingFile(error)) onBroken({ object, path, error: messageOf(error) });
    return [];
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}
