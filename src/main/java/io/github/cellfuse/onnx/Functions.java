package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The functions of a model: bodies of nodes that other nodes call like operators. A node is a call if its domain,
 * operator and overload are those of a function. Immutable and thread safe.
 */
public final class Functions {
    /** The identity of a function. */
    private record Key(String domain, String name, String overload) {
        static Key of(String domain, String name, String overload) {
            return new Key(normalized(domain), name, overload);
        }
    }

    /** The domains in which ONNX Runtime has operators, each followed by a dot, and those below them. */
    private static final List<String> RUNTIME_DOMAINS = List.of("ai.onnx.", "com.microsoft.");

    private final Map<Key, FunctionProto> functions = new LinkedHashMap<>();
    private final Map<String, OperatorSetIdProto> imports;

    private Functions(Object file, ModelProto model) {
        imports = imports(model.getOpsetImportList());
        for (FunctionProto function : model.getFunctionsList()) {
            if (functions.put(Key.of(function.getDomain(), function.getName(), function.getOverload()), function)
                    != null) {
                throw Problems.invalid(file, label(function) + ": expected one with this name, found two");
            }
        }
    }

    /**
     * Returns the functions of a model.
     *
     * @param file the file's name in messages
     * @throws io.github.cellfuse.InvalidInputException when two functions have the same name
     */
    public static Functions of(Object file, ModelProto model) {
        return new Functions(file, model);
    }

    /** Returns the function that {@code node} calls, or nothing if its operator isn't a function. */
    public Optional<FunctionProto> find(NodeProto node) {
        return functions.isEmpty() // the usual case
                ? Optional.empty()
                : Optional.ofNullable(functions.get(Key.of(node.getDomain(), node.getOpType(), node.getOverload())));
    }

    /** Returns a function's name for messages, such as {@code function 'own.Encoder'}. */
    public static String label(FunctionProto function) {
        String domain = function.getDomain().isEmpty() ? "" : function.getDomain() + ".";
        String overload = function.getOverload().isEmpty() ? "" : ":" + function.getOverload();
        return "function " + Problems.quote(domain + function.getName() + overload);
    }

    /**
     * Returns why the nodes of a function can't become nodes of the model's graph, or nothing if they can. They can't
     * if they need another opset version than the model imports. Nor can those of a function in a domain in which ONNX
     * Runtime has operators of its own: if an operator has the function's name, ONNX Runtime prefers the operator, as
     * the specification allows.
     *
     * @return a clause such as {@code imports opset 13 of ai.onnx where the model imports 14}
     */
    public Optional<String> conflict(FunctionProto function) {
        String home = name(normalized(function.getDomain()));
        if (RUNTIME_DOMAINS.stream().anyMatch((home + ".")::startsWith)) {
            return Optional.of("is in domain " + home + ", where ONNX Runtime's own operators come first");
        }
        Map<String, OperatorSetIdProto> own = imports(function.getOpsetImportList());
        for (String domain : domains(function, false)) {
            OperatorSetIdProto needed = own.get(domain), present = imports.get(domain);
            if (needed == null) {
                return Optional.of("uses " + name(domain) + " and imports no opset of it");
            }
            if (present != null && present.getVersion() != needed.getVersion()) {
                return Optional.of("imports opset " + needed.getVersion() + " of " + name(domain)
                        + " where the model imports " + present.getVersion());
            }
        }
        return Optional.empty();
    }

    /**
     * Returns the opset imports that the nodes of the functions need and the model doesn't have, one for each domain.
     */
    List<OperatorSetIdProto> missingImports(List<FunctionProto> called) {
        Map<String, OperatorSetIdProto> missing = new LinkedHashMap<>();
        for (FunctionProto function : called) {
            Map<String, OperatorSetIdProto> own = imports(function.getOpsetImportList());
            for (String domain : domains(function, true)) {
                if (own.containsKey(domain) && !imports.containsKey(domain)) {
                    missing.putIfAbsent(domain, own.get(domain));
                }
            }
        }
        return List.copyOf(missing.values());
    }

    /** Returns the functions that a graph calls, directly or through other functions, each once. */
    List<FunctionProto> calledBy(GraphProto graph) {
        return calledBy(graph.getNodeList());
    }

    /** Returns the functions that nodes call, directly or through other functions, each once. */
    public List<FunctionProto> calledBy(List<NodeProto> nodes) {
        Map<FunctionProto, Boolean> seen = new IdentityHashMap<>();
        List<FunctionProto> called = new ArrayList<>();
        Deque<List<NodeProto>> open = new ArrayDeque<>();
        open.add(nodes);
        while (!open.isEmpty()) {
            for (NodeProto node : open.remove()) {
                find(node)
                        .filter(function -> seen.put(function, true) == null)
                        .filter(called::add)
                        .ifPresent(function -> open.add(function.getNodeList()));
                Subgraphs.of(node).forEach(inner -> open.add(inner.getNodeList()));
            }
        }
        return List.copyOf(called);
    }

    /** Returns the domains of a function's nodes, with or without those of its calls of other functions. */
    private Set<String> domains(FunctionProto function, boolean withCalls) {
        Set<String> domains = new LinkedHashSet<>();
        Deque<List<NodeProto>> open = new ArrayDeque<>();
        open.add(function.getNodeList());
        while (!open.isEmpty()) {
            for (NodeProto node : open.remove()) {
                if (withCalls || find(node).isEmpty()) {
                    domains.add(normalized(node.getDomain()));
                }
                Subgraphs.of(node).forEach(inner -> open.add(inner.getNodeList()));
            }
        }
        return domains;
    }

    private static Map<String, OperatorSetIdProto> imports(Collection<OperatorSetIdProto> list) {
        Map<String, OperatorSetIdProto> imports = new HashMap<>();
        list.forEach(opset -> imports.putIfAbsent(normalized(opset.getDomain()), opset));
        return imports;
    }

    private static String normalized(String domain) {
        return OnnxNode.isDefaultDomain(domain) ? "" : domain;
    }

    private static String name(String domain) {
        return domain.isEmpty() ? "ai.onnx" : domain;
    }
}
