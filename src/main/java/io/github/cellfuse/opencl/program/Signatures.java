package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The signatures of a program's kernels, read from its sources as compiled with its build options. Immutable.
 *
 * <p>A parameter may come from a macro without parameters, and depend on an {@code #if}, as long as the sources or the
 * build options define what it depends on.
 */
public final class Signatures {
    /** The parameter's name comes last. */
    private static final Pattern NAME = Pattern.compile("([A-Za-z_]\\w*)\\s*$");

    /** The attributes between the two words may be a macro. */
    private static final Pattern KERNEL = Pattern.compile("\\b(?:__)?kernel\\s[^{;]*?\\bvoid\\s+(\\w+)\\s*\\(");

    private static final String QUALIFIER = "kernel ";

    private final Preprocessor source;

    /** Reads {@code sources}, in the order in which they are compiled as one text. */
    public Signatures(List<String> sources, String options) {
        source = new Preprocessor(sources, options);
    }

    /** Returns the names of the kernels, in the order of the sources. */
    public List<String> kernels() {
        return KERNEL.matcher(source.text()).results().map(k -> k.group(1)).toList();
    }

    /**
     * Returns the names of the parameters of {@code kernel}, in the order of its signature.
     *
     * @throws CellFuseException when the sources have no such kernel
     */
    public List<String> parameters(String kernel) {
        String text = source.text();
        for (int at = text.indexOf(QUALIFIER); at >= 0; at = text.indexOf(QUALIFIER, at + 1)) {
            int end = text.indexOf('{', at);
            String declaration = text.substring(at, end < 0 ? text.length() : end);
            Matcher name = Pattern.compile("\\b" + kernel + "\\s*\\(").matcher(declaration);
            if (name.find()) {
                return names(kernel, source.expand(betweenParentheses(kernel, declaration, name.end())));
            }
        }
        throw new CellFuseException("the program's sources have no kernel '" + kernel + "'");
    }

    private static String betweenParentheses(String kernel, String declaration, int first) {
        int depth = 1;
        for (int at = first; at < declaration.length(); at++) {
            depth += depthChange(declaration.charAt(at));
            if (depth == 0) {
                return declaration.substring(first, at);
            }
        }
        throw new CellFuseException("kernel '" + kernel + "': its signature has no end");
    }

    private static List<String> names(String kernel, String parameters) {
        List<String> names = new ArrayList<>();
        if (parameters.isBlank() || parameters.strip().equals("void")) {
            return names;
        }
        int depth = 0, first = 0;
        for (int at = 0; at <= parameters.length(); at++) {
            char c = at < parameters.length() ? parameters.charAt(at) : ',';
            depth += depthChange(c);
            if (c == ',' && depth == 0) {
                String parameter = parameters.substring(first, at).strip();
                Matcher name = NAME.matcher(parameter);
                if (!name.find()) {
                    throw new CellFuseException(
                            "kernel '" + kernel + "': expected a parameter with a name, found '" + parameter + "'");
                }
                names.add(name.group(1));
                first = at + 1;
            }
        }
        return List.copyOf(names);
    }

    private static int depthChange(char c) {
        return switch (c) {
            case '(', '[' -> 1;
            case ')', ']' -> -1;
            default -> 0;
        };
    }
}
