// lint as: libs/object-storage/src/mocked.spec.ts
jest.mock('./file-blob-store'); // expect: no-restricted-properties
