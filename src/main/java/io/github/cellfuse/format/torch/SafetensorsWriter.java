package io.github.cellfuse.format.torch;

import com.google.gson.stream.JsonWriter;
import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Collects float32 tensors and writes them to a {@code .safetensors} file, in the order in which they were added. Not
 * thread safe.
 *
 * <pre>{@code
 * new SafetensorsWriter().tensor("weight", values, rows, columns).write(Path.of("model.safetensors"), false);
 * }</pre>
 */
public final class SafetensorsWriter {
    /** The reference implementation pads the header so that the data begins at a multiple of this. */
    private static final int ALIGNMENT = 8;

    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Pending> tensors = new LinkedHashMap<>();

    private record Pending(float[] values, long[] shape) {}

    /** Adds a line of free text; a name that was used before gets the new text. Returns this. */
    public SafetensorsWriter metadata(String name, String text) {
        metadata.put(name, text);
        return this;
    }

    /**
     * Adds a tensor. Returns this.
     *
     * @param values its values in C order; not copied, so leave them alone until {@link #write}
     * @param shape its dimensions; none for a single value
     * @throws io.github.cellfuse.InvalidInputException when the name is taken or the values aren't as many as the shape
     *     says
     */
    public SafetensorsWriter tensor(String name, float[] values, long... shape) {
        String what = "tensor " + Problems.quote(name);
        if (name.equals(SafetensorsHeader.METADATA) || tensors.containsKey(name)) {
            throw Problems.invalid(what, "expected a name that isn't taken");
        }
        long bytes = ArrayRegion.bytes(what, ElementType.FLOAT32, shape);
        if (bytes != (long) values.length * Float.BYTES) {
            throw Problems.invalid(
                    what,
                    "expected " + bytes / Float.BYTES + " values for shape " + Problems.shape(shape) + ", found "
                            + values.length);
        }
        tensors.put(name, new Pending(values, shape.clone()));
        return this;
    }

    /**
     * Writes the file: under a temporary name beside the target, which it gets when it is whole.
     *
     * @param overwrite whether a file of that name may be replaced
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, its folder is
     *     missing or can't be written, or the header grows past 100 MB
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public void write(Path target, boolean overwrite) {
        byte[] header = header(target);
        try (AtomicFile file = AtomicFile.create(target, overwrite)) {
            ArrayRegion.write(file.channel(), 0, ByteBuffer.wrap(header));
            long offset = header.length;
            for (Pending tensor : tensors.values()) {
                ArrayRegion region =
                        new ArrayRegion(target, file.channel(), offset, ElementType.FLOAT32, tensor.shape());
                region.write(0, FloatBuffer.wrap(tensor.values()));
                offset += (long) tensor.values().length * Float.BYTES;
            }
            file.commit();
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        }
    }

    /** Returns the length and the JSON, padded with spaces. */
    private byte[] header(Path target) {
        byte[] json = json().getBytes(StandardCharsets.UTF_8);
        int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (padded > SafetensorsHeader.LONGEST) {
            throw Problems.invalid(
                    target, "expected a header of at most " + SafetensorsHeader.LONGEST + " bytes, found " + padded);
        }
        ByteBuffer header = ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + padded)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded)
                .put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.array();
    }

    private String json() {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            if (!metadata.isEmpty()) {
                json.name(SafetensorsHeader.METADATA).beginObject();
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.name(entry.getKey()).value(entry.getValue());
                }
                json.endObject();
            }
            long offset = 0;
            for (Map.Entry<String, Pending> entry : tensors.entrySet()) {
                long end = offset + (long) entry.getValue().values().length * Float.BYTES;
                json.name(entry.getKey()).beginObject();
                json.name("dtype").value(SafetensorsType.F32.name());
                numbers(json.name("shape"), entry.getValue().shape());
                numbers(json.name("data_offsets"), offset, end);
                json.endObject();
                offset = end;
            }
            json.endObject();
        } catch (IOException e) {
            throw new IllegalStateException("a StringWriter doesn't fail", e);
        }
        return text.toString();
    }

    private static void numbers(JsonWriter json, long... numbers) throws IOException {
        json.beginArray();
        for (long number : numbers) {
            json.value(number);
        }
        json.endArray();
    }
}
