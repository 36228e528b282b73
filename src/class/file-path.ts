/** Replacement for each "/" of a name; absent: "/" stays, and creates directories. */
export type Translation = string;

const MAX_ELEMENT_BYTES = 255;
/** The length of the longest name in AWS. */
const MAX_PATH_BYTES = 2048;
/** Twice the limit of Parameter Store. */
const MAX_DIRECTORIES = 30;

/** The path of an object or extraction relative to the volume, not checked yet. */
export function filePath(nameOrAlias: string, translation: Translation): string {
  return translation === '' ? nameOrAlias.replace(/^\/+/, '') : nameOrAlias.replaceAll('/', () => translation);
}

/**
 * Why a path is not allowed in a volume: by the rules of the driver (pkg/util/fileutil), and because its layout reserves top-level names that begin with "..".
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

/** All parent directories of a path, starting at the top. */
export function directoriesOf(path: string): readonly string[] {
  const directories: string[] = [];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    directories.push(path.slice(0, end));
  }
  return directories;
}
