"""Triton's own compiler on a submission's kernels. Runs in a confined child of the server.

The submission is not executed again. Each kernel is its text in the file, and the names in it mean
what they meant when it was launched (`worker/learner/launches.py`).
"""

from __future__ import annotations

import ast
import importlib
import linecache
import re
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import triton.language as tl
from triton._C.libtriton import ir
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler.compiler import make_backend
from triton.compiler.errors import CompilationError
from triton.runtime.jit import ConstexprFunction, JITCallable, JITFunction

from quizprep.grading.verdict import Frame, Raised
from quizprep.worker.compiler.overflow import narrow_products
from quizprep.worker.compiler.request import Assembly, Compile
from quizprep.worker.protocol import Kernel, Launch, Value

FILE = "submission.py"
WARP = 32


class Unsupported(Exception):
    """This launch cannot be compiled here; the text says why."""


class Compiler:
    """The kernels of one submission."""

    def __init__(self, request: Compile) -> None:
        self._request = request
        self._lines = request.source.decode("utf-8", "replace").splitlines(keepends=True)
        # Triton reads a kernel's text from here; there is no file.
        linecache.cache[FILE] = (len(request.source), None, self._lines, FILE)
        nodes = ast.walk(ast.parse("".join(self._lines)))
        defined = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        self._nodes = {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in defined}
        helpers = {
            value.line
            for kernel in request.kernels
            for value in kernel.names.values()
            if value.kind == "helper"
        }
        self._functions = {
            kernel.line: self._function(kernel, kernel.line in helpers)
            for kernel in request.kernels
            if kernel.line in self._nodes
        }
        for kernel in request.kernels:
            if kernel.line in self._functions:
                self._bind(kernel)
        self._target = GPUTarget("cuda", request.target, WARP)
        self._backend = make_backend(self._target)

    def compiled(self, launch: Launch) -> Assembly:
        """Compile one launch; what is wrong with the kernel is part of the answer."""
        try:
            return self._compiled(launch)
        except Exception as error:
            reasons = [each for each in _chain(error) if isinstance(each, Unsupported)]
            if reasons:
                return Assembly(unchecked=str(reasons[0])[:500])
            return Assembly(error=self._raised(error, launch))

    def _compiled(self, launch: Launch) -> Assembly:
        function = self._functions.get(launch.kernel)
        if not isinstance(function, JITFunction):
            raise Unsupported("its text is not in the file")
        names = function.arg_names
        types = {n: _type(kind) for n, kind in launch.types.items()}
        for name, kind in types.items():
            if "other" in str(kind) or name not in names:
                raise Unsupported(f"the argument {name} has a type that is not followed here")

        def place(path: str) -> tuple[int, ...]:
            name, *parts = path.split(".")
            return (names.index(name), *map(int, parts))

        source = ASTSource(
            function,
            types,
            {place(path): self._meaning(value) for path, value in launch.constants.items()},
            {place(path): [["tt.divisibility", 16]] for path in launch.aligned},
        )
        options = self._backend.parse_options(dict(launch.options))
        context = ir.context()
        ir.load_dialects(context)
        self._backend.load_dialects(context)
        module = source.make_ir(
            self._target,
            options,
            self._backend.get_codegen_implementation(options),
            self._backend.get_module_map(),
            context,
        )
        narrow = narrow_products(module, FILE)[:64]
        if not self._request.assemble:
            return Assembly(narrow=narrow)
        stages: dict[str, Any] = {}
        self._backend.add_stages(stages, options, source.language)
        metadata: dict[str, Any] = {"target": self._target, **vars(options)}
        for name, stage in stages.items():
            if name == "cubin":
                break
            module = stage(module, metadata)
        return Assembly(
            ptx=module,
            shared=int(metadata.get("shared", 0)),
            warps=int(options.num_warps),
            narrow=narrow,
        )

    # --- functions of the submission, without executing it ---

    def _function(self, kernel: Kernel, is_helper: bool) -> JITCallable:
        """The function of a kernel's text. Its names have no meaning yet."""
        node = self._nodes[kernel.line]
        node.decorator_list, node.returns = [], None
        arguments = node.args
        for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            text = ast.unparse(arg.annotation) if arg.annotation is not None else ""
            arg.annotation = ast.Constant("constexpr") if "constexpr" in text else None
        arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
        arguments.kw_defaults = [d and ast.Constant(None) for d in arguments.kw_defaults]
        namespace: dict[str, Any] = {"__name__": "submission"}
        tree = ast.fix_missing_locations(ast.Module([node], type_ignores=[]))
        exec(compile(tree, FILE, "exec"), namespace)
        made: FunctionType = namespace.pop(node.name)
        # Triton looks for the text from the first line on, decorators included.
        made.__code__ = made.__code__.replace(co_firstlineno=kernel.line)
        return ConstexprFunction(made) if is_helper else JITFunction(made)

    def _bind(self, kernel: Kernel) -> None:
        """Give a function's names and defaults the meaning that they had at the launch."""
        function = self._functions[kernel.line].fn
        values = {name: self._meaning(value) for name, value in kernel.names.items()}
        for name, value in values.items():
            module, _, member = name.partition(".")
            if member and isinstance(values.get(module), ModuleType):
                if kernel.names[name].kind == "plain":
                    setattr(values[module], member, value)
            elif not name.endswith("="):
                function.__globals__[name] = value
        places = function.__code__.co_varnames[: function.__code__.co_argcount]
        function.__defaults__ = tuple(values[f"{n}="] for n in places if f"{n}=" in values) or None
        if function.__kwdefaults__:
            function.__kwdefaults__ = {n: values.get(f"{n}=") for n in function.__kwdefaults__}

    def _meaning(self, value: Value) -> Any:
        match value.kind:
            case "plain":
                return value.value
            case "constexpr":
                return tl.constexpr(value.value)
            case "dtype":
                return tl.dtype(str(value.value))
            case "kernel" | "helper":
                return self._functions.get(value.line, _Foreign())
            case "module":
                return _module(str(value.value))
            case "member":
                module, _, name = str(value.value).rpartition(".")
                return getattr(_module(module), name, _Foreign())
            case _:
                return _Foreign()

    # --- what is wrong ---

    def _raised(self, error: BaseException, launch: Launch) -> Raised:
        """The innermost error that the compiler gives, with the lines that lead there."""
        frames = []
        message = ""
        for each in _chain(error):
            if isinstance(each, CompilationError):
                frame = self._frame(each)
                frames += [frame] if frame is not None else []
                message = each.error_message or message
            elif str(each):
                message = str(each)
        if not frames:
            name = self._functions[launch.kernel].fn.__name__
            frames = [self._at(launch.kernel, name)]
        text = " ".join((message or type(error).__name__).split())
        found = GLOBAL.search(text)
        if found is not None:
            text = NO_GLOBAL.format(name=found[1])
        return Raised(
            kind="CompilationError", message=text[:1000], frames=tuple(dict.fromkeys(frames))[-6:]
        )

    def _frame(self, error: CompilationError) -> Frame | None:
        for function in self._functions.values():
            if function.src == error.src:
                first: int = function.starting_line_number
                skipped = function.def_file_line_number - first
                offset = getattr(error.node, "lineno", 1) - 1
                return self._at(first + skipped + offset, function.fn.__name__)
        return None

    def _at(self, line: int, function: str) -> Frame:
        text = self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""
        return Frame(line=line, function=function[:200], text=text[:500])


def _type(kind: str) -> Any:
    """A parameter's type; that of a tuple is a tuple of types."""
    return ast.literal_eval(kind) if kind.startswith("(") else kind


GLOBAL = re.compile(r"Cannot access global variable (\w+)")
NO_GLOBAL = (
    "{name} is defined outside the kernel. A kernel may take a number from outside if it is a "
    "tl.constexpr ({name} = tl.constexpr(...)) or an argument, and call a function if that has "
    "@triton.jit too."
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that led to it, the outermost first."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__


class _Foreign:
    """Something of the submission's that no kernel can use: Triton says so itself."""


def _module(name: str) -> ModuleType:
    """A module that the compiler evaluates calls of, or an empty one of that name."""
    if name == "math" or name.split(".")[0] == "triton":
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return _foreign_module(name)


def _foreign_module(name: str) -> ModuleType:
    """A module of whose functions a kernel can call none on its values."""
    module = ModuleType(name)

    def __getattr__(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def foreign(*args: Any, **named: Any) -> Any:
            if any(isinstance(value, tl.tensor) for value in (*args, *named.values())):
                raise TypeError(f"{name}.{attribute} cannot be called on values of a kernel")
            raise Unsupported(f"it calls {name}.{attribute} while it is compiled")

        return foreign

    vars(module)["__getattr__"] = __getattr__
    return module
