/** What stands for each "/" of a name; nothing: "/" stays, and makes directories. */
export type Translation = string;

const MAX_ELEMENT_BYTES = 255;
/** As long as the longest name in AWS. */
const MAX_PATH_BYTES = 2048;
/** Twice what Parameter Store takes. */
const MAX_DIRECTORIES = 30;

/** File of an object or extraction, relative to the volume. Not yet checked. */
export function filePath(nameOrAlias: string, translation: Translation): string {
  return translation === '' ? nameOrAlias.replace(/^\/+/, '') : nameOrAlias.replaceAll('/', () => translation);
}

/**
 * Why a path cannot be a file of the volume, by the rules of the driver (pkg/util/fileutil) and of its layout, in which
 * names at the top that begin with ".." are the driver's own.
 */
export function pathProblem(path: string): string | undefined {
  const elements = path.split('/');
  if (elements.includes('..')) {
    return 'path can not contain the element "..": it would leave the volume';
  }
  if (path.startsWith('..')) {
    return 'path can not contain a first element that begins with "..": the volume keeps those names for itself';
  }
  if (path.includes('\0')) {
    return 'path can not contain a NUL character';
  }
  if (path === '' || elements.some((element) => element === '' || element === '.')) {
    return 'path must be relative, without empty elements and without "."';
  }
  if (elements.length - 1 > MAX_DIRECTORIES) {
    return `path must not go through more than ${MAX_DIRECTORIES} directories: set an objectAlias with fewer "/"`;
  }
  const encoder = new TextEncoder();
  if (elements.some((element) => encoder.encode(element).length > MAX_ELEMENT_BYTES)) {
    return `a file name must not be longer than ${MAX_ELEMENT_BYTES} bytes: set a shorter objectAlias`;
  }
  if (encoder.encode(path).length > MAX_PATH_BYTES) {
    return `path must not be longer than ${MAX_PATH_BYTES} bytes: set a shorter objectAlias`;
  }
  return undefined;
}

/** Directories that a path goes through, from the top. */
export function directoriesOf(path: string): readonly string[] {
  const directories: string[] = [];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    directories.push(path.slice(0, end));
  }
  return directories;
}
