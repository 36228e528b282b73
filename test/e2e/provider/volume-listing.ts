/**
 * A shell script that lists what a pod sees in the volume of the class `$0`, a line a file: path, octal mode, content in base64.
 * What begins with two dots is the writer's own.
 */
export const LISTING = `cd "/mnt/$0" && find . -follow -type f ! -path './..*' | while read -r file; do
  printf '%s\\t%s\\t%s\\n' "\${file#./}" "$(stat -L -c %a "$file")" "$(base64 "$file" | tr -d '\\n')"
done`;

/** Path → mode and text; in base64 what is no text. */
export type Listing = Readonly<Record<string, readonly [string, string]>>;

export function readListing(printed: string): Listing {
  const lines = printed.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [path = '', mode = '', base64 = ''] = line.split('\t');
      const text = Buffer.from(base64, 'base64').toString();
      const isText = Buffer.from(text).toString('base64') === base64;
      return [path, [mode, isText ? text : base64]] as const;
    }),
  );
}
