// lint as: libs/object-storage/src/loose-shape.ts
export * from './file-blob-store'; // expect: no-restricted-syntax
export default class LooseShape {} // expect: no-restricted-syntax

export const home = process.env['HOME']; // expect: no-restricted-properties
export const anything: any = home; // expect: @typescript-eslint/no-explicit-any
export const certain = home!.length; // expect: @typescript-eslint/no-non-null-assertion
console.log(home == null); // expect: no-console, eqeqeq
import { Readable } from 'node:stream'; // expect: @typescript-eslint/consistent-type-imports
export type Body = Readable;

export const many = (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [a, b, c, d, e, f, g]; // expect: max-params

/* eslint-disable-next-line no-debugger */ // expect: packs/disable-reason
debugger;
