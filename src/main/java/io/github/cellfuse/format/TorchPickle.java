package io.github.cellfuse.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What {@code torch.save} was given, by the first instructions of its pickle: a {@code state_dict}, a dict with one in
 * it, or a whole module. No object is made: only Python may do that, for files that its user trusts.
 */
final class TorchPickle {
    /** Where others put the {@code state_dict} among other things, such as the state of an optimizer. */
    private static final List<String> KEYS = List.of("state_dict", "model_state_dict", "model", "net");

    /** What comes first in a file that PyTorch wrote before version 1.6. */
    private static final String LEGACY = "\u0080\2\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\31.";

    /** In such a file, the object follows after the sizes of C's types, a dict in a dict. */
    private static final String BEFORE_OBJECT = "uu.";

    /** There, the source code of a module's class goes with it. */
    private static final String LEGACY_MODULE = "(X\6\0\0\0module";

    private static final String ORDERED_DICT = "ccollections\nOrderedDict\n";

    /** More than the instructions before the first tensors take. */
    private static final int LENGTH = 1 << 20;

    private final String pickle;

    private TorchPickle(String pickle) {
        this.pickle = pickle;
    }

    static boolean isLegacy(FileStart start) {
        return start.has(0, LEGACY);
    }

    /** Returns the lines of Python that save a checkpoint's tensors. */
    static String advice(FileStart start) {
        byte[] bytes = start.entry("(.*/)?data\\.pkl", LENGTH).orElseGet(() -> first(start.path()));
        String pickle = new String(bytes, StandardCharsets.ISO_8859_1);
        int object = pickle.startsWith(LEGACY) ? pickle.indexOf(BEFORE_OBJECT) + BEFORE_OBJECT.length() : 0;
        String load = "torch.load(" + python(start.path().toString()) + ", map_location=\"cpu\"";
        // Two bytes name the protocol.
        String tensors = new TorchPickle(pickle).tensors(object + 2, load + ")");
        if (!tensors.endsWith(".state_dict()")) {
            return save(start.path(), tensors);
        }
        return save(start.path(), tensors.replace(load, load + ", weights_only=False"))
                + "; that runs code out of the file, so it must come from somebody you trust, and needs the module's"
                + " class";
    }

    /** Returns the lines of Python that save the tensors which an expression gives. */
    static String save(Path path, String tensors) {
        String target = path.toString().replaceFirst("\\.[^./\\\\]*$", "") + ".safetensors";
        return "save its tensors in Python: import torch; from safetensors.torch import save_file; save_file(" + tensors
                + ", " + python(target) + ")";
    }

    /** Returns a text as Python writes it. */
    static String python(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static byte[] first(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(LENGTH);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /**
     * Returns the expression that gives the tensors of the object from {@code start} on, which {@code object} gives.
     */
    private String tensors(int start, String object) {
        int at = afterMemo(start);
        if (pickle.startsWith("}", at)) {
            for (String key : KEYS) {
                // The instruction for a text, and its length.
                String text = "X" + (char) key.length() + "\0\0\0" + key;
                int found = pickle.indexOf(text, at);
                if (found >= 0) {
                    return tensors(found + text.length(), object + "[" + python(key) + "]");
                }
            }
            return object;
        }
        boolean isModule = pickle.startsWith(LEGACY_MODULE, at)
                || pickle.startsWith("c", at) && !pickle.startsWith(ORDERED_DICT, at);
        return isModule ? object + ".state_dict()" : object;
    }

    /** Returns the place after an instruction that only gives the last value a number. */
    private int afterMemo(int at) {
        return pickle.startsWith("q", at) ? at + 2 : pickle.startsWith("r", at) ? at + 1 + Integer.BYTES : at;
    }
}
