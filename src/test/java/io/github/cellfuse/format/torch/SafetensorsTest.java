package io.github.cellfuse.format.torch;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.assertSameValues;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static io.github.cellfuse.format.npy.FormatFixtures.names;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    private static final float INF = Float.POSITIVE_INFINITY;

    @TempDir
    Path folder;

    @Test
    void readsEveryFloatType() {
        float[] exact = {0, -0f, 1, -1.5f, (float) Math.PI, INF, -INF, Float.NaN, 1};
        float[] half = exact.clone();
        half[4] = 3.140625f;
        try (SafetensorsFile file = SafetensorsFile.open(file("dtypes.safetensors"))) {
            assertEquals(Map.of("made by", "a test"), file.metadata());
            assertEquals(
                    List.of("f64", "f32", "f16", "bf16", "i64", "bool", "scalar", "nothing"),
                    List.copyOf(file.tensors().keySet()));
            assertSameValues(exact, file.readFloats("f64"));
            assertSameValues(exact, file.readFloats("f32"));
            assertSameValues(half, file.readFloats("f16"));
            assertSameValues(new float[] {1, -2.5f, INF}, file.readFloats("bf16"));
            assertArrayEquals(new float[] {2.5f}, file.readFloats("scalar"));
            assertArrayEquals(new float[0], file.readFloats("nothing"));
            SafetensorsFile.Tensor tensor = file.tensors().get("bf16");
            assertEquals("BF16", tensor.dtype());
            assertArrayEquals(new long[] {3, 1}, tensor.shape());
            assertEquals(3, tensor.elementCount());
            assertEquals("bf16", tensor.name());
        }
    }

    @Test
    void refusesWhatIsNotThere() {
        SafetensorsFile file = SafetensorsFile.open(file("dtypes.safetensors"));
        assertRefused(() -> file.readFloats("i64"), "dtypes.safetensors", "tensor i64", "F32", "found I64");
        assertRefused(() -> file.readFloats("w"), "'w'", "'f64'", "and 2 more");
        assertRefused(() -> file.readFloats("f32", new float[8]), "f32", "9 values", "one of 8");
        file.close();
        assertThrows(CellFuseException.class, () -> file.readFloats("f32"));
    }

    @Test
    void writesWhatItReads() throws IOException {
        Path target = folder.resolve("out.safetensors");
        float[] values = {1, -0f, Float.NaN, Float.MIN_VALUE, INF, 6};
        new SafetensorsWriter()
                .metadata("a \"quoted\"\n name", "\u00e4")
                .tensor("w", values, 2, 3)
                .tensor("nothing", new float[0], 0)
                .tensor("\u00e4 scalar", new float[] {7})
                .write(target, false);
        try (SafetensorsFile file = SafetensorsFile.open(target)) {
            assertEquals(Map.of("a \"quoted\"\n name", "\u00e4"), file.metadata());
            assertSameValues(values, file.readFloats("w"));
            assertArrayEquals(new long[] {2, 3}, file.tensors().get("w").shape());
            assertArrayEquals(new float[] {7}, file.readFloats("\u00e4 scalar"));
            assertEquals(0, file.tensors().get("w").start() % 8);
        }
        assertEquals(List.of("out.safetensors"), names(folder));
        assertRefused(() -> new SafetensorsWriter().write(target, false), "exists already");
        new SafetensorsWriter().write(target, true);
        try (SafetensorsFile file = SafetensorsFile.open(target)) {
            assertEquals(Map.of(), file.tensors());
        }
    }

    @Test
    void refusesToWriteNonsense() {
        SafetensorsWriter writer = new SafetensorsWriter().tensor("w", new float[2], 2);
        assertRefused(() -> writer.tensor("w", new float[2], 2), "'w'", "taken");
        assertRefused(() -> writer.tensor("__metadata__", new float[2], 2), "taken");
        assertRefused(() -> writer.tensor("v", new float[5], 2, 3), "'v'", "expected 6", "[2, 3]", "found 5");
    }

    /** Headers over 8 bytes of data. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', textBlock = """
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}} | 'a' once
            {"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 'dtype' once
            {"__metadata__":{},"__metadata__":{}}                                | '__metadata__' once
            {"__metadata__":{"a":"b","a":"c"}}                                   | 'a' once
            {"__metadata__":{"a":1}}                                             | expected a string, found NUMBER
            {"__metadata__":[]}                                                  | JSON
            {"a":{"dtype":"F32","shape":[2]}}                                    | no data_offsets
            {"a":{"dtype":"F32","data_offsets":[0,8]}}                           | no shape
            {"a":{"shape":[2],"data_offsets":[0,8]}}                             | no dtype
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}         | found 'x'
            {"a":{"dtype":"F33","shape":[2],"data_offsets":[0,9]}}               | within the 8 bytes
            {"a":{"dtype":"F33","shape":[2],"data_offsets":[0,7]}}               | trailing bytes
            {"a":{"dtype":"F33","shape":[4294967296,4294967296],"data_offsets":[0,8]}} | overflows
            {"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}}                   | expected a string
            {"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}                 | list of numbers
            {"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}             | list of numbers
            {"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}             | '2.0'
            {"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}             | '2e0'
            {"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}              | '-2'
            {"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}} | 2^63
            {"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}} | overflows
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}               | expected 12 bytes
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}              | within the 8 bytes
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}               | [begin, end]
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}             | [begin, end]
            {"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}                | expected 1 bytes
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}               | trailing bytes
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}               | hole
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}} | overlaps
            {}                                                                   | trailing bytes
            {} {}                                                                | JSON
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]                 | JSON
            {'a':{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}               | broken: malformed at line 1 column 3
            {"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}              | JSON
            {"a\\nb":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}} | 'a?b': shape
            {"a\\nb":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}            | 'a?b'
            {"a":null}                                                           | JSON
            [1]                                                                  | begins with {
            """)
    void refusesBrokenHeaders(String header, String reason) throws IOException {
        Path file = write(header, new byte[8]);
        assertRefused(() -> SafetensorsFile.open(file), file, reason);
    }

    @Test
    void takesWhatTheFormatAllows() throws IOException {
        Path file = write(
                "{\"b\":{\"shape\":[],\"data_offsets\":[4,8],\"dtype\":\"F32\"},"
                        + "\"\\u0061\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
                        + "\"none\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[4,4]}}   ",
                new byte[] {0, 0, 0, 0, 0, 0, (byte) 0x80, 0x3F});
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertArrayEquals(new float[] {1}, tensors.readFloats("b"));
            assertEquals("I8", tensors.tensors().get("a").dtype());
            assertEquals(Map.of(), tensors.metadata());
        }
    }

    /** The format gets new dtypes: only who needs such a tensor is refused. */
    @ParameterizedTest
    @ValueSource(strings = {"F8_E4M3FNUZ", "F8_E5M2FNUZ", "F33", "", "é"})
    void leavesTensorsOfUnknownTypesAlone(String dtype) throws IOException {
        Path file = write(
                "{\"q\":{\"dtype\":\"" + dtype + "\",\"shape\":[4],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                new byte[] {1, 2, 3, 4, 0, 0, (byte) 0x80, 0x3F});
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertArrayEquals(new float[] {1}, tensors.readFloats("b"));
            assertEquals(dtype, tensors.tensors().get("q").dtype());
            assertEquals(Optional.empty(), tensors.tensors().get("q").floatType());
            assertRefused(
                    () -> tensors.readFloats("q"),
                    file,
                    "tensor q: expected dtype F32, F16, BF16 or F64",
                    "found '" + dtype + "'");
        }
    }

    @Test
    void refusesDamagedFiles() throws IOException {
        byte[] good = Files.readAllBytes(file("dtypes.safetensors"));
        assertRefused(() -> SafetensorsFile.open(folder.resolve("none")), "no such file");
        assertRefused(() -> open(new byte[0]), "not a safetensors file", "empty");
        assertRefused(() -> open(Arrays.copyOf(good, 7)), "not a safetensors file", "found 7");
        assertRefused(() -> open(Arrays.copyOf(good, 20)), "truncated", "found 12");
        assertRefused(() -> open(Arrays.copyOf(good, good.length - 1)), "truncated file?");
        assertRefused(() -> open(Arrays.copyOf(good, good.length + 1)), "trailing bytes");
        assertRefused(() -> SafetensorsFile.open(file("cube.npy")), "not a safetensors file", "100000000");
        byte[] binary = good.clone();
        binary[12] = (byte) 0xFF;
        assertRefused(() -> open(binary), "UTF-8");
    }

    private SafetensorsFile open(byte[] bytes) throws IOException {
        return SafetensorsFile.open(Files.write(Files.createTempFile(folder, "test", ".safetensors"), bytes));
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("test.safetensors"), bytes.array());
    }
}
