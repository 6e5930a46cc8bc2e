import sys
from reports.code import Terminal

if TYPE_CHECKING:

    from reports.terminal import Reporter


run(Terminal)
