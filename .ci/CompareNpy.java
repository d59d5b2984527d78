import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares two float32 .npy files: {@code java CompareNpy.java EXPECTED ACTUAL BOUND}. Exit status 1 when a difference
 * is above the bound or is not a number. On purpose it shares no code with the product, whose output it judges; and
 * unlike a script with numpy it needs nothing that the product does not need.
 */
final class CompareNpy {
    private static final Pattern SHAPE = Pattern.compile("'shape':\\s*\\(([^)]*)\\)");

    private record Array(String shape, FloatBuffer values) {}

    private CompareNpy() {}

    public static void main(String[] args) throws IOException {
        if (args.length != 3) {
            fail("expected EXPECTED.npy ACTUAL.npy BOUND, found " + args.length + " arguments");
        }
        Array expected = read(Path.of(args[0]));
        Array actual = read(Path.of(args[1]));
        if (!expected.shape.equals(actual.shape)) {
            fail("expected shape (" + expected.shape + "), found (" + actual.shape + ")");
        }
        double bound = Double.parseDouble(args[2]);
        double largest = 0;
        for (int i = 0; i < expected.values.limit(); i++) {
            double difference = Math.abs((double) actual.values.get(i) - expected.values.get(i));
            if (Double.isNaN(difference)) {
                fail("value " + i + ": expected " + expected.values.get(i) + ", found " + actual.values.get(i));
            }
            largest = Math.max(largest, difference);
        }
        System.out.printf("largest difference %.3g over (%s), bound %.3g%n", largest, actual.shape, bound);
        if (largest > bound) {
            System.exit(1);
        }
    }

    private static Array read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        boolean version1 = bytes.get(6) == 1;
        int start = version1 ? 10 : 12;
        int length = version1 ? Short.toUnsignedInt(bytes.getShort(8)) : bytes.getInt(8);
        String header = new String(bytes.array(), start, length, StandardCharsets.UTF_8);
        Matcher shape = SHAPE.matcher(header);
        if (!header.contains("'<f4'") || header.contains("'fortran_order': True") || !shape.find()) {
            fail(file + ": expected C-ordered float32, found " + header.strip());
        }
        String dimensions = shape.group(1).replaceAll("\\s", "").replaceAll(",$", "");
        FloatBuffer values = bytes.position(start + length).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        long count = 1;
        for (String dimension : dimensions.split(",")) {
            count *= dimension.isEmpty() ? 1 : Long.parseLong(dimension);
        }
        if (count != values.limit()) {
            fail(file + ": expected " + count + " values, found " + values.limit());
        }
        return new Array(dimensions, values);
    }

    private static void fail(String message) {
        System.err.println("compare: error: " + message);
        System.exit(1);
    }
}
