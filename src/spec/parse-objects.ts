import { newFileClaims } from './file-claims.ts';
import { readYaml, type YamlMap, type YamlValue } from './go/go-yaml.ts';
import type { ObjectSpec, Problem } from './mount-spec.ts';
import { objectName, readObjectFields, type Report } from './object-fields.ts';
import { type ObjectContext, parseObject } from './parse-object.ts';
import { quote } from './quote.ts';

const PARAMETER = 'objects';

export interface ObjectsReading {
  /** Those that are sound. */
  readonly objects: readonly ObjectSpec[];
  /** By entry, and in each as AWS's provider would come upon them. */
  readonly problems: readonly Problem[];
  /** What is ignored, and probably not meant to be. */
  readonly warnings: readonly Problem[];
}

/** @param text YAML or JSON: a list of objects, or nothing */
export function parseObjects(text: string, context: ObjectContext): ObjectsReading {
  const yaml = readYaml(text);
  if (!yaml.ok) {
    const line = text.slice(0, yaml.offset).split('\n').length;
    return failed(`objects cannot be read as YAML: line ${line}: ${yaml.message}`, yaml.offset);
  }
  if (yaml.value.kind === 'null') {
    return { objects: [], problems: [], warnings: [] };
  }
  if (yaml.value.kind !== 'list') {
    const hint = yaml.value.kind === 'map' ? ' (it stands there by itself, without "array:" or another key)' : '';
    return failed(`objects must be a list of objects, not a ${yaml.value.kind}${hint}`, yaml.value.offset);
  }
  return parseEntries(yaml.value.items, context);
}

function failed(message: string, offset: number): ObjectsReading {
  return { objects: [], problems: [{ message, parameter: PARAMETER, offset }], warnings: [] };
}

function parseEntries(entries: readonly YamlValue[], context: ObjectContext): ObjectsReading {
  const objects: ObjectSpec[] = [];
  /** Shapes come first: AWS's provider stops at the first wrong one before it looks at what the fields say. */
  const shapes: Problem[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const claims = newFileClaims();

  for (const [index, entry] of entries.entries()) {
    const place = `objects[${index}]`;
    if (entry.kind === 'map') {
      parseEntry(place, entry);
    } else if (entry.kind === 'null') {
      reportIn(problems, place)('Empty descriptor entry: want objectName and other fields', entry.offset);
    } else {
      reportIn(shapes, place)(`want objectName and other fields, not a ${entry.kind}`, entry.offset);
    }
  }
  return { objects, problems: [...shapes, ...problems], warnings };

  function parseEntry(place: string, entry: YamlMap): void {
    const name = objectName(entry);
    const title = name === undefined ? place : `${place} ${quote(name)}`;
    const shapesBefore = shapes.length;
    const fields = readObjectFields(entry, {
      problem: reportIn(shapes, title, name),
      warning: reportIn(warnings, title, name),
    });
    if (shapes.length > shapesBefore) {
      return;
    }
    const report = reportIn(problems, title, name);
    const object = parseObject(fields, context, report);
    if (object !== undefined) {
      objects.push(object);
      claims.claim(title, object, fields.texts.objectAlias?.text, (message) => {
        report(message, entry.offset);
      });
    }
  }
}

function reportIn(list: Problem[], title: string, object?: string): Report {
  return (message, offset) => {
    list.push({
      message: `${title}: ${message}`,
      parameter: PARAMETER,
      ...(object !== undefined && { object }),
      offset,
    });
  };
}
