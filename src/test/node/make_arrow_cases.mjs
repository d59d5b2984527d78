// Writes src/test/resources/arrow/*.arrow with Apache Arrow's own JavaScript library, which shares no code with the
// reader. Run it in this folder: npm install --no-save apache-arrow@21.2.0 && node make_arrow_cases.mjs
//
// The value of step t and feature i in row r is 100 r + 10 t + i; a row of variable length has r + 1 steps, but row 2
// none.
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  Bool, CompressionType, Field, FixedSizeList, Float32, Float64, Int32, LargeList, List, RecordBatch,
  RecordBatchFileWriter, Schema, Struct, Table, Utf8, compressionRegistry, makeData, tableToIPC, vectorFromArray,
} from 'apache-arrow';

const I = 2;
const folder = new URL('../resources/arrow/', import.meta.url);
mkdirSync(folder, { recursive: true });

const row = (r, steps) =>
  Array.from({ length: steps }, (_, t) => Array.from({ length: I }, (_, i) => 100 * r + 10 * t + i));
const range = (from, to) => Array.from({ length: to - from }, (_, k) => from + k);
const lengthOf = (r) => (r === 2 ? 0 : r + 1);
const item = (type, nullable = false) => new Field('item', type, nullable);

function table(columns, splits) {
  const schema = new Schema(Object.entries(columns).map(([key, [of]]) => new Field(key, of, true)));
  const batches = splits.slice(1).map((end, k) => {
    const rows = range(splits[k], end);
    const children = Object.values(columns).map(([of, value]) => {
      const vector = vectorFromArray(rows.map(value), of);
      return vector.data[0] ?? makeData({ type: of });
    });
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows.length, children }));
  });
  return new Table(schema, batches);
}

function write(name, columns, splits, type = 'file') {
  writeFileSync(new URL(name, folder), tableToIPC(table(columns, splits), type));
}

const flat = (r) => row(r, 3).flat();
const nested = (r) => row(r, 3);
const lists = (r) => row(r, lengthOf(r));
const fixed = (of) => new FixedSizeList(3 * I, item(of));

// Fixed lengths, in two batches of 4 and 1 rows; the columns before the one that counts have buffers of every number.
write('flat.arrow', {
  id: [new Int32(), (r) => r],
  label: [new Utf8(), (r) => (r % 2 ? null : `row ${r}`)],
  is_new: [new Bool(), (r) => r === 0],
  place: [new Struct([new Field('lon', new Float64()), new Field('lat', new Float64())]), (r) => ({ lon: r, lat: -r })],
  x: [fixed(new Float32()), flat],
}, [0, 4, 5]);
write('float64.arrow', { x: [fixed(new Float64()), flat] }, [0, 5]);
write('int32.arrow', { x: [fixed(new Int32()), flat] }, [0, 5]);
write('nested.arrow', {
  x: [new FixedSizeList(3, item(new FixedSizeList(I, item(new Float32())))), nested],
  words: [new List(item(new Utf8())), () => ['a', 'b']],
}, [0, 2, 5]);
// Variable lengths: values, fixed lists and lists in a list.
write('list.arrow', { x: [new List(item(new Float32())), (r) => lists(r).flat()] }, [0, 3, 5]);
write('list_of_fixed.arrow', { x: [new List(item(new FixedSizeList(I, item(new Float32())))), lists] }, [0, 3, 5]);
write('list_of_lists.arrow', { x: [new List(item(new List(item(new Float64())))), lists] }, [0, 3, 5]);
write('large_list.arrow', { x: [new LargeList(item(new Float32())), (r) => lists(r).flat()] }, [0, 3, 5]);
// What is refused.
write('two.arrow', { a: [fixed(new Float32()), flat], b: [fixed(new Float32()), flat] }, [0, 5]);
write('none.arrow', { id: [new Int32(), (r) => r], label: [new Utf8(), (r) => `row ${r}`] }, [0, 5]);
write('null_row.arrow', { x: [fixed(new Float32()), (r) => (r === 3 ? null : flat(r))] }, [0, 2, 5]);
write('null_list.arrow', { x: [new List(item(new Float32())), (r) => (r === 4 ? null : lists(r).flat())] }, [0, 3, 5]);
write('null_value.arrow', {
  x: [new FixedSizeList(3 * I, item(new Float32(), true)), (r) => flat(r).map((v) => (v === 311 ? null : v))],
}, [0, 2, 5]);
write('null_in_list.arrow', {
  x: [new List(item(new Float32(), true)), (r) => lists(r).flat().map((v) => (v === 311 ? null : v))],
}, [0, 2, 5]);
write('odd.arrow', { x: [new List(item(new Float32())), (r) => (r === 3 ? [1, 2, 3] : lists(r).flat())] }, [0, 5]);
write('odd_lists.arrow', {
  x: [new List(item(new List(item(new Float32())))), (r) => (r === 3 ? [[1, 2], [3]] : lists(r))],
}, [0, 5]);
write('stream.arrows', { x: [fixed(new Float32()), flat] }, [0, 5], 'stream');
// Only the mark of a compressed batch counts, so this is the header of an LZ4 frame and nothing compressed.
const encode = (data) => new Uint8Array([4, 34, 77, 24, 0x60, 0x40, 0, ...data]);
compressionRegistry.set(CompressionType.LZ4_FRAME, { encode, decode: (data) => data.slice(7) });
const writer = new RecordBatchFileWriter({ compressionType: CompressionType.LZ4_FRAME });
writer.writeAll(table({ x: [fixed(new Float32()), flat] }, [0, 5]));
writeFileSync(new URL('compressed.arrow', folder), writer.toUint8Array(true));
