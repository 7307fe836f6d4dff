import path from 'node:path';

/** What each ecosystem says of a package in its own manifest. */
export const readers = [
  { ecosystem: 'npm', matches: file => path.basename(file) === 'package.json', read: readNpm },
  { ecosystem: 'pypi', matches: file => /\.dist-info[\\/]METADATA$|[\\/]PKG-INFO$/.test(file), read: readPython },
  { ecosystem: 'cargo', matches: file => path.basename(file) === 'Cargo.toml', read: readCargo },
];

function readNpm(text) {
  try {
    const { name, version, license, licenses } = JSON.parse(text);
    const declared = license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR ');
    return { name, version, licence: typeof declared === 'string' && declared !== '' ? declared : null };
  } catch {
    return undefined;
  }
}

const CLASSIFIERS = {
  'Apache Software License': 'Apache-2.0',
  'BSD License': 'BSD-3-Clause',
  'MIT License': 'MIT',
  'Mozilla Public License 2.0 (MPL 2.0)': 'MPL-2.0',
};

function readPython(text) {
  const headers = text.split(/\r?\n\r?\n/, 1)[0];
  const header = name => new RegExp(`^${name}: *(.+)$`, 'm').exec(headers)?.[1]?.trim();
  const classified = /^Classifier: License :: OSI Approved :: (.+)$/m.exec(headers)?.[1]?.trim();
  return {
    name: header('Name'),
    version: header('Version'),
    licence: header('License-Expression') ?? CLASSIFIERS[classified] ?? header('License'),
  };
}

function readCargo(text) {
  const section = /^\[package\]$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  const value = name => new RegExp(`^${name}\\s*=\\s*"([^"]*)"`, 'm').exec(section)?.[1];
  // Before SPDX expressions Cargo wrote alternatives with a slash.
  return { name: value('name'), version: value('version'), licence: value('license')?.replaceAll('/', ' OR ') };
}
