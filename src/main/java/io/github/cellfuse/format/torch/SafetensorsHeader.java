package io.github.cellfuse.format.torch;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.spi.Sizes;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a {@code .safetensors} file: 8 bytes of length, then JSON that maps each tensor's name to its dtype,
 * shape and place. Immutable.
 *
 * @param metadata free text by name
 * @param tensors by name, in the order of the header
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, SafetensorsFile.Tensor> tensors) {
    /**
     * The limit of the format's reference implementation: more than any model needs, and small enough to be harmless.
     */
    static final long LONGEST = 100_000_000;

    static final String METADATA = "__metadata__";
    static final int LENGTH_BYTES = Long.BYTES;

    static SafetensorsHeader read(MappedFile file) {
        Object label = file.label();
        if (file.size() < LENGTH_BYTES) {
            throw Problems.invalid(
                    label,
                    "not a safetensors file: expected at least 8 bytes, found "
                            + (file.size() == 0 ? "an empty file" : file.size()));
        }
        long length = file.copy(0, LENGTH_BYTES).getLong();
        if (length < 0 || length > LONGEST) {
            throw Problems.invalid(
                    label,
                    "not a safetensors file: expected a header of at most " + LONGEST + " bytes, found "
                            + Long.toUnsignedString(length));
        }
        if (length > file.size() - LENGTH_BYTES) {
            throw Problems.invalid(
                    label, "truncated: expected " + length + " bytes of header, found " + (file.size() - LENGTH_BYTES));
        }
        byte[] bytes = file.bytes(LENGTH_BYTES, (int) length);
        if (bytes.length == 0 || bytes[0] != '{') {
            throw Problems.invalid(label, "not a safetensors file: expected a header that begins with {");
        }
        return new Parser(file, LENGTH_BYTES + length).parse(text(bytes, label));
    }

    private static String text(byte[] bytes, Object label) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Problems.invalid(label, "header: expected UTF-8, found other bytes", e);
        }
    }

    /** Walks through the JSON: Gson checks its syntax, this class its meaning. */
    private static final class Parser {
        private final MappedFile file;
        private final Object label;
        private final long dataStart;
        private final Map<String, SafetensorsFile.Tensor> tensors = new LinkedHashMap<>();
        private final List<Place> places = new ArrayList<>();
        private Map<String, String> metadata;

        /** Where a tensor lies, from the start of the data. */
        private record Place(String name, long begin, long end) {}

        Parser(MappedFile file, long dataStart) {
            this.file = file;
            this.label = file.label();
            this.dataStart = dataStart;
        }

        SafetensorsHeader parse(String text) {
            try (JsonReader json = new JsonReader(new StringReader(text))) {
                json.setStrictness(Strictness.STRICT);
                json.beginObject();
                while (json.hasNext()) {
                    String name = json.nextName();
                    if (name.equals(METADATA)) {
                        metadata(json);
                    } else {
                        tensor(name, json);
                    }
                }
                json.endObject();
                if (json.peek() != JsonToken.END_DOCUMENT) {
                    throw Problems.invalid(label, "header: expected one JSON object, found more behind it");
                }
            } catch (IOException | IllegalStateException | NumberFormatException e) {
                // Gson's first line has advice for programmers, then the error and its place; the second is a link.
                String reason = String.valueOf(e.getMessage())
                        .lines()
                        .findFirst()
                        .orElse("")
                        .replace(
                                "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON",
                                "malformed");
                throw Problems.invalid(
                        label, "header: expected JSON as safetensors has it, found it broken: " + reason, e);
            }
            checkPlaces();
            return new SafetensorsHeader(
                    metadata == null ? Map.of() : Collections.unmodifiableMap(metadata),
                    Collections.unmodifiableMap(tensors));
        }

        private void metadata(JsonReader json) throws IOException {
            once("the header", METADATA, metadata);
            metadata = new LinkedHashMap<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = json.nextName();
                String value = string(METADATA, key, json);
                once(METADATA, key, metadata.put(key, value));
            }
            json.endObject();
        }

        private void tensor(String name, JsonReader json) throws IOException {
            String what = "tensor " + Problems.quote(name);
            String dtype = null;
            long[] shape = null;
            long[] offsets = null;
            json.beginObject();
            while (json.hasNext()) {
                String key = json.nextName();
                switch (key) {
                    case "dtype" -> {
                        once(what, key, dtype);
                        dtype = string(what, key, json);
                    }
                    case "shape" -> {
                        once(what, key, shape);
                        shape = numbers(what, key, json);
                    }
                    case "data_offsets" -> {
                        once(what, key, offsets);
                        offsets = numbers(what, key, json);
                    }
                    default ->
                        throw Problems.invalid(
                                label, what + ": expected dtype, shape and data_offsets, found " + Problems.quote(key));
                }
            }
            json.endObject();
            if (dtype == null || shape == null || offsets == null) {
                throw Problems.invalid(
                        label,
                        what + ": expected dtype, shape and data_offsets, found no "
                                + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"));
            }
            once("the header", name, tensors.put(name, checked(name, dtype, shape, offsets)));
        }

        private SafetensorsFile.Tensor checked(String name, String dtype, long[] shape, long[] offsets) {
            String what = "tensor " + Problems.quote(name);
            long dataBytes = file.size() - dataStart;
            if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
                throw Problems.invalid(
                        label,
                        what + ": data_offsets: expected [begin, end] within the " + dataBytes
                                + " bytes of data, found " + Problems.shape(offsets)
                                + (offsets.length == 2 && offsets[1] > dataBytes ? " (a truncated file?)" : ""));
            }
            long count = Sizes.product(label + ": " + what + ": shape " + Problems.shape(shape), shape);
            // The format gets new dtypes. One that isn't known here is none of an LSTM's, and its size is anybody's
            // guess.
            SafetensorsType.named(dtype).ifPresent(type -> {
                long bits = Sizes.product(label + ": " + what + ": size in bits", count, type.bits());
                if (bits % Byte.SIZE != 0 || bits / Byte.SIZE != offsets[1] - offsets[0]) {
                    throw Problems.invalid(
                            label,
                            what + ": expected " + bits / Byte.SIZE + " bytes for " + dtype + " of shape "
                                    + Problems.shape(shape) + ", found " + (offsets[1] - offsets[0]));
                }
            });
            places.add(new Place(name, offsets[0], offsets[1]));
            return new SafetensorsFile.Tensor(file, name, dtype, shape, count, dataStart + offsets[0]);
        }

        /** Sorted by place, each tensor begins where the one before it ends, and the last ends with the file. */
        private void checkPlaces() {
            places.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
            long end = 0;
            for (Place place : places) {
                if (place.begin() != end) {
                    throw Problems.invalid(
                            label,
                            "tensor " + Problems.quote(place.name()) + ": expected it to begin at byte " + end
                                    + " of the data, found " + place.begin()
                                    + (place.begin() < end ? ": it overlaps another" : ": there is a hole before it"));
                }
                end = place.end();
            }
            long dataBytes = file.size() - dataStart;
            if (end != dataBytes) {
                throw Problems.invalid(label, "trailing bytes: expected " + end + " bytes of data, found " + dataBytes);
            }
        }

        private String string(String what, String key, JsonReader json) throws IOException {
            if (json.peek() != JsonToken.STRING) {
                throw wrong(what, key, "a string", json);
            }
            return json.nextString();
        }

        private long[] numbers(String what, String key, JsonReader json) throws IOException {
            if (json.peek() != JsonToken.BEGIN_ARRAY) {
                throw wrong(what, key, "a list of numbers", json);
            }
            long[] values = new long[4];
            int count = 0;
            json.beginArray();
            while (json.hasNext()) {
                if (json.peek() != JsonToken.NUMBER) {
                    throw wrong(what, key, "a list of numbers", json);
                }
                if (count == values.length) {
                    values = Arrays.copyOf(values, 2 * count);
                }
                values[count++] = number(what, key, json.nextString());
            }
            json.endArray();
            return Arrays.copyOf(values, count);
        }

        /** Digits alone: Gson's own nextLong would take 1.0 and 1e3 as well. */
        private long number(String what, String key, String digits) {
            boolean isPlain = digits.chars().allMatch(c -> c >= '0' && c <= '9');
            try {
                if (isPlain) {
                    return Long.parseLong(digits);
                }
            } catch (NumberFormatException tooLarge) {
                // Refused below.
            }
            throw Problems.invalid(
                    label, what + ": " + key + ": expected numbers from 0 to 2^63-1, found " + Problems.quote(digits));
        }

        private InvalidInputException wrong(String what, String key, String expected, JsonReader json)
                throws IOException {
            return Problems.invalid(
                    label, what + ": " + Problems.quote(key) + ": expected " + expected + ", found " + json.peek());
        }

        private void once(String what, String key, Object before) {
            if (before != null) {
                throw Problems.invalid(label, what + ": expected " + Problems.quote(key) + " once, found it twice");
            }
        }
    }
}
